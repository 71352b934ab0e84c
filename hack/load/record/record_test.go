// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"
)

func someEvents(n int) []Event {
	r := rand.New(rand.NewPCG(1, 2))
	events := make([]Event, n)
	for i := range events {
		e := &events[i]
		e.Key = Mark{Run: r.Uint32(), Sender: uint16(i), Recipient: 7, Seq: r.Uint64()}.Key()
		e.Kind, e.Attempt, e.Status, e.Party = Kind(1+i%int(kinds-1)), uint8(i), uint16(200+i), uint16(i)
		e.Start, e.At, e.Ref = r.Int64(), r.Int64(), r.Uint64()
		binary.LittleEndian.PutUint64(e.Hash[4:], r.Uint64())
	}
	return events
}

func read(t *testing.T, dir string) []Event {
	t.Helper()
	var all []Event
	if err := Scan(dir, func(events []Event) error { all = append(all, events...); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	dir := t.TempDir()
	w, err := create(dir, "sender", 64<<10)
	if err != nil {
		t.Fatal(err)
	}
	events := someEvents(maxBlock + 100)
	for chunk := range slices.Chunk(events, 300) {
		if err := w.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Write(events); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, dir); !reflect.DeepEqual(got, append(slices.Clone(events), events...)) {
		t.Errorf("read %d events, and not those that were written", len(got))
	}
	if files, err := Files(dir); err != nil || len(files) < 3 {
		t.Errorf("files did not rotate: %v, %v", files, err)
	}
}

func TestManyWritersLoseNothing(t *testing.T) {
	dir := t.TempDir()
	w, err := create(dir, "sender", 4<<10)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for seq := range 100 {
				e := Event{Key: Mark{Sender: uint16(i), Seq: uint64(seq)}.Key(), Kind: Acknowledged}
				if err := w.Write([]Event{e}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	seen := map[[16]byte]bool{}
	for _, e := range read(t, dir) {
		seen[e.Key] = true
	}
	if len(seen) != 800 {
		t.Errorf("%d of 800 events came back", len(seen))
	}
}

// A writer that was killed leaves its file cut at any byte: whole blocks are kept, the rest is left out.
func TestCutFiles(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(dir, "sender")
	if err != nil {
		t.Fatal(err)
	}
	events := someEvents(4)
	for i := range events {
		if err := w.Write(events[i : i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := Files(dir)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) {
		n := 0
		if err := parse(bytes.NewReader(whole[:cut]), func(e []Event) error { n += len(e); return nil }); err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if want := max(0, cut-len(magic)) / (frame + Size); n != want {
			t.Errorf("cut at %d: %d events, want %d", cut, n, want)
		}
	}
}

func TestDamageIsReported(t *testing.T) {
	good := []byte(magic)
	good = binary.LittleEndian.AppendUint32(good, 1)
	good = append(good, 0, 0, 0, 0)
	good = (&Event{Kind: Acknowledged}).append(good)
	for name, data := range map[string][]byte{
		"another file":     []byte("#!/bin/sh\necho hello\n"),
		"another short":    []byte("#!"),
		"wrong checksum":   good,
		"empty block":      append([]byte(magic), make([]byte, frame)...),
		"enormous block":   append([]byte(magic), 255, 255, 255, 255, 0, 0, 0, 0),
		"zeros at the end": append([]byte(magic), make([]byte, 200)...),
	} {
		path := filepath.Join(t.TempDir(), "x"+extension)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		var corrupt *CorruptError
		err := Scan(filepath.Dir(path), func([]Event) error { return nil })
		if !errors.As(err, &corrupt) || corrupt.Path != path {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := Scan(t.TempDir(), nil); !errors.Is(err, ErrNone) {
		t.Errorf("an empty folder: got %v", err)
	}
}

func TestMarks(t *testing.T) {
	m := Mark{Run: 0xfedcba98, Sender: 3, Recipient: 65535, Seq: 1 << 40}
	body := make([]byte, Overhead+10)
	m.Head(body)
	if got, err := ReadHead(body); err != nil || got != m {
		t.Errorf("got %v, %v", got, err)
	}
	if got := MarkOf(m.Key()); got != m {
		t.Errorf("got %v", got)
	}
	for _, bad := range [][]byte{nil, body[:Overhead-1], bytes.ToUpper(body), append([]byte("x"), body...), make([]byte, 100)} {
		if _, err := ReadHead(bad); !errors.Is(err, ErrForeign) {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(magic))
	whole := []byte(magic)
	for _, e := range someEvents(3) {
		block := e.append(nil)
		whole = binary.LittleEndian.AppendUint32(whole, 1)
		whole = append(binary.LittleEndian.AppendUint32(whole, crcOf(block)), block...)
	}
	f.Add(whole)
	f.Add(whole[:100])
	f.Fuzz(func(t *testing.T, data []byte) {
		// Whatever is accepted encodes to the bytes it was read from.
		out := []byte(magic)
		err := parse(bytes.NewReader(data), func(events []Event) error {
			var block []byte
			for i := range events {
				block = events[i].append(block)
			}
			out = binary.LittleEndian.AppendUint32(out, uint32(len(events)))
			out = append(binary.LittleEndian.AppendUint32(out, crcOf(block)), block...)
			return nil
		})
		var corrupt *CorruptError
		if err != nil && !errors.As(err, &corrupt) {
			t.Fatalf("an untyped error: %v", err)
		}
		if len(out) > len(magic) && !sameButReserved(out, data) {
			t.Fatal("what was read is not what is in the file")
		}
	})
}

func FuzzReadHead(f *testing.F) {
	body := make([]byte, Overhead)
	Mark{Run: 1, Seq: 2}.Head(body)
	f.Add(body)
	f.Add([]byte(prefix))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ReadHead(data)
		if err != nil {
			return
		}
		again := make([]byte, Overhead)
		m.Head(again)
		if !bytes.Equal(again, data[:Overhead]) {
			t.Fatalf("%q reads as %v", data, m)
		}
	})
}
