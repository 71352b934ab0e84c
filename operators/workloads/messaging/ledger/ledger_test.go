// SPDX-License-Identifier: Apache-2.0

//go:build engines

package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/operatortest/engines"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

func open(t testing.TB, url string, change ...func(*Config)) *Ledger {
	t.Helper()
	config := Config{Database: database.URL(url)}
	for _, c := range change {
		c(&config)
	}
	l, err := Open(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func entry(l *Ledger, request string, body []byte) *Entry {
	return &Entry{
		Seq: l.Next(), Lane: "TO", Parts: 1, Dedupe: true, Flags: FlagTracked,
		Submission: &message.Submission{Sender: "FROM", Recipient: "TO", Interaction: "PSIS", RequestID: request, Body: body},
	}
}

func appendOne(t testing.TB, l *Ledger, e *Entry) *Entry {
	t.Helper()
	if err := appendAll(l, []*Entry{e}); err != nil {
		t.Fatal(err)
	}
	return e
}

// appendAll repeats itself while there is no room, as senders do: on a slow machine a commit may take that long.
func appendAll(l *Ledger, entries []*Entry) error {
	for {
		err := l.Append(entries)
		var overloaded *message.OverloadedError
		if !errors.As(err, &overloaded) {
			return err
		}
		time.Sleep(overloaded.RetryAfter)
	}
}

const keep = 720 * time.Hour

func TestRepeatIsRecognisedAndAnotherPayloadIsAConflict(t *testing.T) {
	url := engines.Postgres(t)
	l := open(t, url)
	first := appendOne(t, l, entry(l, "r1", []byte("one")))
	if first.Err != nil || first.Duplicate != 0 {
		t.Fatalf("first: %+v", first)
	}
	// The store of requests survives the replica.
	other := open(t, url)
	if e := appendOne(t, other, entry(other, "r1", []byte("one"))); e.Err != nil || e.Duplicate != first.Seq {
		t.Errorf("repeat: %v, duplicate of %v", e.Err, e.Duplicate)
	}
	if e := appendOne(t, other, entry(other, "r1", []byte("two"))); !errors.Is(e.Err, message.ErrConflict) {
		t.Errorf("other payload: %v", e.Err)
	}
	if n, err := l.Count(t.Context(), "TO"); n != 1 || err != nil {
		t.Errorf("%d wait, %v", n, err)
	}
	// Within one batch the same holds.
	batch := []*Entry{entry(l, "r2", []byte("a")), entry(l, "r2", []byte("a")), entry(l, "r2", []byte("b")), entry(l, "r1", []byte("one")), entry(l, "", nil), entry(l, "", nil)}
	if err := appendAll(l, batch); err != nil {
		t.Fatal(err)
	}
	if batch[0].Err != nil || batch[1].Duplicate != batch[0].Seq || !errors.Is(batch[2].Err, message.ErrConflict) || batch[3].Duplicate != first.Seq {
		t.Errorf("batch: %v %v %v %v", batch[0].Err, batch[1].Duplicate, batch[2].Err, batch[3].Duplicate)
	}
	if n, _ := l.Count(t.Context(), "TO"); n != 4 {
		t.Errorf("%d wait, want 4", n)
	}
}

func TestConcurrentRepeatsAreOneMessage(t *testing.T) {
	url := engines.Postgres(t)
	a, b := open(t, url), open(t, url)
	var wg sync.WaitGroup
	for i := range 40 {
		l := []*Ledger{a, b}[i%2]
		wg.Go(func() {
			batch := make([]*Entry, 0, 50)
			for r := range 50 {
				// Each in another order: no deadlock may come of it.
				request := fmt.Sprint((r*7 + i) % 50)
				batch = append(batch, entry(l, request, []byte(request)))
			}
			if err := appendAll(l, batch); err != nil {
				t.Error(err)
			}
			for _, e := range batch {
				if e.Err != nil {
					t.Error(e.Err)
				}
			}
		})
	}
	wg.Wait()
	if n, err := a.Count(t.Context(), "TO"); n != 50 || err != nil {
		t.Errorf("%d wait, want 50; %v", n, err)
	}
}

func TestSettleIsForGoodAndRetrieveSaysGone(t *testing.T) {
	l := open(t, engines.Postgres(t))
	e := appendOne(t, l, entry(l, "r", []byte("body")))
	m, err := l.Retrieve(t.Context(), "TO", e.Seq, 1, keep)
	if err != nil || string(m.Body) != "body" || m.ID != e.Seq.String() || m.RequestID != "r" {
		t.Fatalf("%+v, %v", m, err)
	}
	if _, err := l.Retrieve(t.Context(), "OTHER", e.Seq, 1, keep); !errors.Is(err, message.ErrNotFound) {
		t.Errorf("somebody else's: %v", err)
	}
	if track, err := l.Track(t.Context(), "FROM", e.Seq, "", keep); track.State != message.StateAccepted || err != nil {
		t.Errorf("track: %v, %v", track.State, err)
	}
	for _, want := range []bool{true, false} {
		gone, err := l.Settle(t.Context(), []Ref{{"TO", e.Seq}})
		if err != nil || gone[0] != want {
			t.Errorf("settled %v, %v; want %v", gone, err, want)
		}
	}
	if _, err := l.Retrieve(t.Context(), "TO", e.Seq, 1, keep); !errors.Is(err, message.ErrGone) {
		t.Errorf("after settle: %v", err)
	}
	track, err := l.Track(t.Context(), "FROM", e.Seq, "", keep)
	if err != nil || track.State != message.StateAcknowledged || track.SettledAt.IsZero() {
		t.Errorf("track: %+v, %v", track, err)
	}
	// The duplicate store outlives the settlement.
	if again := appendOne(t, l, entry(l, "r", []byte("body"))); again.Duplicate != e.Seq {
		t.Errorf("repeat after settle: %+v", again)
	}
}

func TestPartsComeTogether(t *testing.T) {
	l := open(t, engines.Postgres(t))
	e := entry(l, "r", []byte("1"))
	e.Parts, e.Lane = 3, ""
	appendOne(t, l, e)
	lane := func(string, string) (string, int16) { return "TO", 0 }
	add := func(part int, body string) (*Ref, error) {
		return l.AddPart(t.Context(), "FROM", e.Seq, part, []byte(body), 5, lane)
	}
	if _, err := l.Retrieve(t.Context(), "TO", e.Seq, 1, keep); !errors.Is(err, message.ErrNotFound) {
		t.Errorf("before it is complete: %v", err)
	}
	for _, c := range []struct {
		part int
		body string
		done bool
		err  error
	}{
		{4, "x", false, message.ErrInvalid}, {3, "toolong", false, message.ErrTooLarge}, {3, "3", false, nil},
		{3, "3", false, nil}, {3, "4", false, message.ErrConflict}, {2, "2", true, nil}, {2, "2", false, nil},
	} {
		if ref, err := add(c.part, c.body); !errors.Is(err, c.err) || (ref != nil) != c.done {
			t.Errorf("part %d %q: %v, %v", c.part, c.body, ref, err)
		}
	}
	m, err := l.Retrieve(t.Context(), "TO", e.Seq, 3, keep)
	if err != nil || string(m.Body) != "3" || m.Size != 3 || m.Parts != 3 {
		t.Errorf("%+v, %v", m, err)
	}
	held, _, err := l.Fetch(t.Context(), "TO", []message.Seq{e.Seq}, 100, keep)
	if err != nil || l.Whole(t.Context(), &held[0]) != nil || string(held[0].Body) != "123" {
		t.Errorf("whole: %v, %v", held, err)
	}
}

func TestBoundOfWhatIsInFlight(t *testing.T) {
	l := open(t, engines.Postgres(t), func(c *Config) { c.InFlightBytes = 1 << 20 })
	var overloaded *message.OverloadedError
	if err := l.Append([]*Entry{entry(l, "r", make([]byte, 1<<20))}); !errors.As(err, &overloaded) || overloaded.RetryAfter < time.Second {
		t.Errorf("got %v", err)
	}
	if e := appendOne(t, l, entry(l, "r", make([]byte, 1<<19))); e.Err != nil || l.InFlight() != 0 {
		t.Errorf("%v, %d in flight", e.Err, l.InFlight())
	}
}

func TestCommitsGoOnAfterTheDatabaseWasKilled(t *testing.T) {
	server := engines.PostgresServer(t)
	l := open(t, server.URL)
	appendOne(t, l, entry(l, "r0", []byte("x")))
	server.Kill()
	done := make(chan *Entry)
	go func() {
		e := entry(l, "r1", []byte("x"))
		_ = l.Append([]*Entry{e})
		done <- e
	}()
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e := <-done; e.Err != nil {
		t.Errorf("queued over the restart: %v", e.Err)
	}
	var n int64
	err := l.retry(func(ctx context.Context) (err error) {
		n, err = l.Count(ctx, "TO")
		return err
	})
	if n != 2 || err != nil {
		t.Errorf("%d wait, %v", n, err)
	}
}

func TestBodiesComeBackWhole(t *testing.T) {
	l := open(t, engines.Postgres(t))
	for _, size := range []int{0, 1, 2048, 9000, 5_000_000} {
		body := bytes.Repeat([]byte{0, 1, 0xff}, size/3+1)[:size]
		e := appendOne(t, l, entry(l, fmt.Sprint(size), body))
		m, err := l.Retrieve(t.Context(), "TO", e.Seq, 1, keep)
		if err != nil || sha256.Sum256(m.Body) != sha256.Sum256(body) || m.Size != int64(size) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, group := range []int{1, 100} {
		b.Run(fmt.Sprintf("group=%d", group), func(b *testing.B) {
			l := open(b, engines.Postgres(b), func(c *Config) { c.Writers = 3 })
			body := make([]byte, 2048)
			b.SetParallelism(128 / group * 4)
			b.ReportAllocs()
			start := time.Now()
			b.RunParallel(func(pb *testing.PB) {
				for {
					batch := make([]*Entry, 0, group)
					for len(batch) < group && pb.Next() {
						seq := l.Next()
						e := entry(l, seq.String(), body)
						e.Seq = seq
						batch = append(batch, e)
					}
					if len(batch) == 0 {
						return
					}
					if err := l.Append(batch); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "msg/s")
		})
	}
}
