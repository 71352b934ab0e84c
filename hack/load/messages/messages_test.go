// SPDX-License-Identifier: Apache-2.0

package messages

import (
	"bytes"
	"errors"
	"net/http"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/hack/load/arrival"
	"spine.nhs.uk/controlplane/hack/load/check"
	"spine.nhs.uk/controlplane/hack/load/fleet"
	"spine.nhs.uk/controlplane/hack/load/record"
	"spine.nhs.uk/controlplane/hack/load/stats"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/bulk/frame"
)

const sent = 600

// run sends 600 messages from one mailbox to two, receives them, and checks the record.
func run(t *testing.T, g *gateway, between func()) (stats.Report, *check.Result) {
	t.Helper()
	dir := t.TempDir()
	w, err := record.Create(dir, "test")
	if err != nil {
		t.Fatal(err)
	}
	payload, err := NewPayload(512)
	if err != nil {
		t.Fatal(err)
	}
	meter := stats.NewMeter("test", 2*sent)
	client := fleet.Client(nil, 8, 2*time.Second, nil)
	s := &Sender{
		Link:     NewBulk(client, g.URL, "SPINE_LOAD_TEST", payload, 50),
		Schedule: arrival.New(arrival.Even, 2*sent, time.Now(), time.Second/2, 1),
		Record:   w, Meter: meter, Run: 1, Number: 1, Recipients: []uint16{2, 3},
		Linger: 5 * time.Millisecond, InFlight: 8, RetryFor: 5 * time.Second,
	}
	if err := s.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	if between != nil {
		between()
	}
	receive(t, g, w)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := check.Run(t.Context(), check.Options{Messages: dir})
	if err != nil {
		t.Fatal(err)
	}
	return meter.Report(), r
}

// receive collects for both mailboxes until nothing waits any more.
func receive(t *testing.T, g *gateway, w *record.Writer) {
	t.Helper()
	for n := range 2 {
		m := &fleet.Mailbox{Number: uint16(n + 2), ID: fleet.MailboxID(uint16(n + 2))}
		r := &Receiver{Client: fleet.Client(nil, 2, 5*time.Second, nil), URL: g.URL, Mailbox: m, Record: w, Max: 50, Wait: time.Second}
		for waits := true; waits; {
			if err := r.once(t.Context()); err != nil {
				t.Fatal(err)
			}
			g.mu.Lock()
			waits = len(g.queues[m.ID]) > 0
			g.mu.Unlock()
		}
	}
}

func TestEverythingArrives(t *testing.T) {
	report, r := run(t, newGateway(t), nil)
	want := check.Counts{Acknowledged: sent, Delivered: sent, Settled: sent}
	if r.Bad() || r.Counts != want {
		t.Errorf("got %+v, %v", r.Counts, r.Findings)
	}
	if report.Acknowledged != sent || report.Latency.P50 < 1 || report.Latency.Max > 2000 || report.Trouble != "" {
		t.Errorf("report %+v", report)
	}
}

// Whatever a try comes to, the message is repeated under the same request ID until its fate is known.
func TestTroubleIsRetried(t *testing.T) {
	for name, c := range map[string]struct {
		status     int
		keep       bool
		pushedBack bool
	}{
		"no answer, kept":     {http.StatusGatewayTimeout, true, false},
		"no answer, not kept": {http.StatusGatewayTimeout, false, false},
		"error, kept":         {http.StatusInternalServerError, true, false},
		"overload":            {http.StatusServiceUnavailable, false, true},
		"throttle":            {http.StatusTooManyRequests, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t)
			g.fault = func(n int) (int, bool) {
				if n%3 == 0 {
					return c.status, c.keep
				}
				return 0, true
			}
			report, r := run(t, g, nil)
			if r.Bad() || r.Counts.Acknowledged != sent || r.Counts.Delivered != sent {
				t.Errorf("got %+v, %v", r.Counts, r.Findings)
			}
			if (report.PushedBack > 0) != c.pushedBack || (report.Retried > 0) == c.pushedBack || report.Trouble == "" {
				t.Errorf("report %+v", report)
			}
			if (r.Counts.Duplicates > 0) != c.keep {
				t.Errorf("%d duplicates", r.Counts.Duplicates)
			}
		})
	}
}

func TestRefusalsAreFinal(t *testing.T) {
	g := newGateway(t)
	g.fault = func(int) (int, bool) { return http.StatusForbidden, false }
	report, r := run(t, g, nil)
	if report.Refused != sent || r.Counts.Refused != sent || r.Bad() {
		t.Errorf("report %+v, result %+v", report, r)
	}
}

func TestALossIsFound(t *testing.T) {
	g := newGateway(t)
	_, r := run(t, g, func() { g.lose(17) })
	if r.Of(check.Lost) != 1 || len(r.Findings) != 1 {
		t.Errorf("found %v", r.Findings)
	}
}

func TestADeliveryAfterSettleIsFound(t *testing.T) {
	g := newGateway(t)
	_, r := run(t, g, func() { g.again = true })
	if r.Of(check.Redone) == 0 || len(r.Findings) != 1 {
		t.Errorf("found %v", r.Findings)
	}
}

// What is left open when the time is up stays ambiguous, and may be delivered or not; a service that never comes back
// does not keep the run alive.
func TestGivingUp(t *testing.T) {
	g := newGateway(t)
	g.fault = func(int) (int, bool) { return http.StatusInternalServerError, false }
	dir := t.TempDir()
	w, err := record.Create(dir, "test")
	if err != nil {
		t.Fatal(err)
	}
	payload, err := NewPayload(512)
	if err != nil {
		t.Fatal(err)
	}
	meter := stats.NewMeter("test", 100)
	s := &Sender{
		Link:     NewBulk(fleet.Client(nil, 1, time.Second, nil), g.URL, "X", payload, 10),
		Schedule: arrival.New(arrival.Even, 100, time.Now(), time.Second, 1), Record: w, Meter: meter,
		Run: 1, Number: 1, Recipients: []uint16{2}, InFlight: 1, RetryFor: 300 * time.Millisecond,
	}
	if err := s.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := check.Run(t.Context(), check.Options{Messages: dir})
	if err != nil || r.Counts.Ambiguous == 0 || r.Counts.Acknowledged != 0 || r.Bad() {
		t.Errorf("got %+v, %v", r, err)
	}
	if report := meter.Report(); report.Unsent == 0 || report.Unsent+report.Ambiguous != 100 {
		t.Errorf("report %+v", report)
	}
}

func TestResultsThatDoNotFit(t *testing.T) {
	items := []Item{{Mark: record.Mark{Seq: 1}}, {Mark: record.Mark{Seq: 2}}}
	good := func(seq uint64, status string) frame.Record {
		return frame.Record{RequestID: record.Mark{Seq: seq}.String(), Status: status, ID: "x"}
	}
	for name, records := range map[string][]frame.Record{
		"one too few":    {good(1, "acknowledged")},
		"one too many":   {good(1, "acknowledged"), good(2, "acknowledged"), good(3, "acknowledged")},
		"out of order":   {good(2, "acknowledged"), good(1, "acknowledged")},
		"unknown status": {good(1, "acknowledged"), good(2, "perhaps")},
	} {
		var answer []byte
		for i := range records {
			answer = records[i].Append(answer)
		}
		if err := results(answer, items, make([]Outcome, 2)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if err := results([]byte{200}, items, make([]Outcome, 2)); !errors.Is(err, frame.ErrMalformed) {
		t.Errorf("got %v", err)
	}
}

func TestPayloadRepeatsItself(t *testing.T) {
	p, err := NewPayload(2048)
	if err != nil {
		t.Fatal(err)
	}
	m := record.Mark{Run: 1, Seq: 12345}
	first, again := p.Body(m, nil), p.Body(m, make([]byte, 0, 4096))
	if len(first) != 2048 || !bytes.Equal(first, again) {
		t.Error("a retry would have another body")
	}
	if other := p.Body(record.Mark{Run: 1, Seq: 12346}, nil); bytes.Equal(first[record.Overhead:], other[record.Overhead:]) {
		t.Error("all bodies are equal")
	}
	for _, size := range []int{0, record.Overhead - 1, 4_000_001} {
		if _, err := NewPayload(size); err == nil {
			t.Errorf("%d bytes were taken", size)
		}
	}
}

func FuzzResults(f *testing.F) {
	items := []Item{{Mark: record.Mark{Seq: 1}}}
	whole := frame.Record{RequestID: items[0].Mark.String(), Status: "acknowledged", ID: "x"}
	f.Add(whole.Append(nil))
	f.Add([]byte{0})
	f.Fuzz(func(t *testing.T, answer []byte) {
		outcomes := make([]Outcome, 1)
		if err := results(answer, items, outcomes); err == nil && outcomes[0].Kind == 0 {
			t.Error("an answer without an outcome was taken")
		}
	})
}
