// SPDX-License-Identifier: Apache-2.0

package messages

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"spine.nhs.uk/controlplane/hack/load/record"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/bulk/frame"
)

// instant answers at once, as prepared.
type instant struct{ answer []byte }

func (i *instant) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(i.answer)), Request: r}, nil
}

// BenchmarkBulk is what a message of 2 KiB costs the generator in batches of 50, apart from the network: it shares the
// machine with what it measures.
func BenchmarkBulk(b *testing.B) {
	payload, err := NewPayload(2048)
	if err != nil {
		b.Fatal(err)
	}
	w, err := record.Create(b.TempDir(), "bench")
	if err != nil {
		b.Fatal(err)
	}
	items := make([]Item, 50)
	var answer []byte
	for i := range items {
		items[i].Mark.Seq = uint64(i)
		r := frame.Record{RequestID: items[i].Mark.String(), Status: "acknowledged", ID: "20261121061500123456_00002A"}
		answer = r.Append(answer)
	}
	link := NewBulk(&http.Client{Transport: &instant{answer}}, "http://gateway", "SPINE_LOAD_TEST", payload, len(items))
	outcomes, events := make([]Outcome, len(items)), make([]record.Event, len(items))
	b.ReportAllocs()
	for b.Loop() {
		link.Send(b.Context(), items, outcomes)
		for i := range outcomes {
			if outcomes[i].Kind != record.Acknowledged {
				b.Fatal(outcomes[i].Why)
			}
			events[i] = record.Event{Key: items[i].Mark.Key(), Kind: outcomes[i].Kind, Hash: outcomes[i].Hash}
		}
		if err := w.Write(events); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(items)), "ns/message")
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}
