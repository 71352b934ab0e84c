// SPDX-License-Identifier: Apache-2.0

package frame

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

func TestRecordsComeBack(t *testing.T) {
	records := []Record{
		{},
		{RequestID: "r1", Recipient: "X26HC005", Interaction: "PSIS", Body: bytes.Repeat([]byte("x"), 2048)},
		{
			RequestID: "r2", Recipient: "a", Interaction: "b", LocalID: "c", Subject: "d", FileName: "e", ContentType: "f",
			ContentEncoding: "g", Sender: "h", ID: "i", Lease: "j", Status: "k", Code: "l", Detail: "m", Kind: "REPORT",
			Until: 1790000000000, Attempt: 3, Metadata: map[string]string{"A": "1", "B": ""}, Body: []byte("body"),
		},
	}
	var stream []byte
	for i := range records {
		stream = records[i].Append(stream)
	}
	reader := NewReader(stream)
	for i := range records {
		var got Record
		if err := reader.Next(&got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, records[i]) {
			t.Errorf("record %d came back as %+v", i, got)
		}
	}
	if reader.More() {
		t.Error("bytes left over")
	}
}

func TestMalformed(t *testing.T) {
	for name, stream := range map[string][]byte{
		"length past the end":   {5, 1},
		"field past the end":    {2, tagRequestID, 9},
		"unknown tag":           {2, 99, 0},
		"tag twice":             {6, tagRequestID, 1, 'a', tagRequestID, 1, 'b'},
		"value without a key":   {3, tagMetadataValue, 1, 'a'},
		"key without a value":   {3, tagMetadataKey, 1, 'a'},
		"key then another":      {6, tagMetadataKey, 1, 'a', tagLease, 1, 'b'},
		"attempt not a number":  {3, tagAttempt, 1, 'a'},
		"length never finishes": {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	} {
		var r Record
		if err := NewReader(stream).Next(&r); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReader(f *testing.F) {
	r := Record{RequestID: "r", Body: []byte("b"), Metadata: map[string]string{"k": "v"}}
	f.Add(r.Append(nil))
	r.Metadata = map[string]string{"": "v", "k": ""}
	f.Add(r.Append(nil))
	f.Fuzz(func(t *testing.T, stream []byte) {
		reader := NewReader(stream)
		for reader.More() {
			var first, second Record
			if reader.Next(&first) != nil {
				return
			}
			if err := NewReader(first.Append(nil)).Next(&second); err != nil {
				t.Fatalf("%+v does not come back: %v", first, err)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	r := Record{RequestID: "0123456789abcdef", Recipient: "X26HC005", Interaction: "PSIS", Body: make([]byte, 2048)}
	var stream []byte
	for range 100 {
		stream = r.Append(stream)
	}
	b.ReportAllocs()
	for b.Loop() {
		reader := NewReader(stream)
		for reader.More() {
			var got Record
			if err := reader.Next(&got); err != nil {
				b.Fatal(err)
			}
		}
	}
}
