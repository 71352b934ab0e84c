// SPDX-License-Identifier: Apache-2.0

package check

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/hack/load/record"
)

// base is the time at which the crafted runs begin.
var base = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC).UnixNano()

func at(ms int64) int64 { return base + ms*1e6 }

// story writes events of message seq, sent by mailbox 1 to mailbox 2, as senders and receivers do.
type story []record.Event

var body = record.Hash([]byte("body"))

func key(seq uint64) [16]byte {
	return record.Mark{Run: 9, Sender: 1, Recipient: 2, Seq: seq}.Key()
}

func sent(seq uint64, kind record.Kind, ms int64, ref uint64) record.Event {
	return record.Event{Key: key(seq), Kind: kind, Party: 1, Start: at(ms - 10), At: at(ms), Hash: body, Ref: ref}
}

func got(seq uint64, asked, ms int64, ref uint64) record.Event {
	return record.Event{Key: key(seq), Kind: record.Delivered, Party: 2, Start: at(asked), At: at(ms), Hash: body, Ref: ref}
}

func settled(seq uint64, ms int64) record.Event {
	return record.Event{Key: key(seq), Kind: record.Settled, Party: 2, At: at(ms)}
}

func held(seq uint64, kind record.Kind) record.Event { return record.Event{Key: key(seq), Kind: kind} }

// clean is a run of three messages without a fault, one of them retried.
func clean() story {
	return story{
		sent(1, record.Acknowledged, 100, 11), got(1, 90, 120, 11), settled(1, 130),
		sent(2, record.Ambiguous, 200, 0), got(2, 150, 210, 12), sent(2, record.Duplicate, 220, 12), got(2, 220, 230, 12), settled(2, 240),
		sent(3, record.Acknowledged, 300, 13), got(3, 250, 299, 13), settled(3, 310),
	}
}

func (s story) with(more ...record.Event) story { return append(s, more...) }

func write(t *testing.T, events []record.Event) string {
	t.Helper()
	dir := t.TempDir()
	w, err := record.Create(dir, "test")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(events); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func holds(events ...record.Event) Source {
	return func(_ context.Context, each func([]record.Event) error) error { return each(events) }
}

func TestMessages(t *testing.T) {
	wrongBody, wrongReceiver := got(4, 390, 400, 14), got(4, 390, 400, 14)
	wrongBody.Hash = record.Hash([]byte("another"))
	wrongReceiver.Party = 3
	all := []record.Event{held(1, record.Finished), held(2, record.Finished), held(3, record.Finished)}
	cases := map[string]struct {
		events story
		ledger []record.Event
		want   Defect
	}{
		"clean":                      {clean(), nil, ""},
		"clean, with its ledger":     {clean(), all, ""},
		"never delivered":            {clean().with(sent(4, record.Acknowledged, 400, 14)), nil, Lost},
		"duplicate, never delivered": {clean().with(sent(4, record.Duplicate, 400, 14)), nil, Lost},
		"neither delivered nor held": {clean().with(sent(4, record.Acknowledged, 400, 14)), all, Lost},
		"held, not delivered yet":    {clean().with(sent(4, record.Acknowledged, 400, 14)), append([]record.Event{held(4, record.Held)}, all...), ""},
		"settled, but by nobody":     {clean().with(sent(4, record.Acknowledged, 400, 14)), append([]record.Event{held(4, record.Finished)}, all...), Lost},
		"unknown to the ledger":      {clean(), all[:2], NotInLedger},
		"ambiguous, lost":            {clean().with(sent(4, record.Ambiguous, 400, 0)), nil, ""},
		"ambiguous, delivered":       {clean().with(sent(4, record.Ambiguous, 400, 0), got(4, 390, 410, 14)), nil, ""},
		"again after settle":         {clean().with(got(1, 140, 150, 11)), nil, Redone},
		"again long after settle":    {clean().with(got(1, 125, 131+underWay.Milliseconds(), 11)), nil, Redone},
		"again before settle":        {clean().with(got(1, 120, 125, 11)), nil, ""},
		"crossed by the settle":      {clean().with(got(1, 125, 135, 11)), nil, ""},
		"delivered by another name":  {clean().with(got(1, 120, 125, 99)), nil, TwoNames},
		"acked by another name":      {clean().with(sent(1, record.Duplicate, 125, 99)), nil, TwoNames},
		"wrong body":                 {clean().with(sent(4, record.Acknowledged, 400, 14), wrongBody), nil, WrongBody},
		"wrong receiver":             {clean().with(sent(4, record.Acknowledged, 400, 14), wrongReceiver), nil, WrongReceiver},
		"refused":                    {clean().with(sent(4, record.Refused, 400, 0)), nil, ""},
		"refused, delivered":         {clean().with(sent(4, record.Refused, 400, 0), got(4, 390, 410, 14)), nil, Refusal},
		"another body in the ledger": {clean(), append([]record.Event{{Key: key(1), Kind: record.Finished, Hash: record.Hash([]byte("another"))}}, all[1:]...), WrongBody},
		"twice in the ledger":        {clean(), append([]record.Event{{Key: key(1), Kind: record.Held, Ref: 98}}, all...), TwoNames},
		"late":                       {clean().with(sent(4, record.Acknowledged, 400, 14), got(4, 5000, 61_000, 14)), nil, Late},
		"foreign body":               {clean().with(record.Event{Kind: record.Foreign, At: at(1)}), nil, Alien},
		"its sender was killed":      {clean().with(got(4, 390, 400, 14), settled(4, 410)), nil, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := Options{Messages: write(t, c.events), Late: time.Minute, Scratch: t.TempDir()}
			if c.ledger != nil {
				o.Ledger = holds(c.ledger...)
			}
			expect(t, o, c.want)
		})
	}
}

func expect(t *testing.T, o Options, want Defect) *Result {
	t.Helper()
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Findings {
		if f.Defect != want || f.Count != 1 || len(f.Cases) != 1 {
			t.Errorf("found %+v", f)
		}
	}
	if r.Bad() != (want != "") {
		t.Errorf("found %v, want %q", r.Findings, want)
	}
	return r
}

func TestCountsAndTimes(t *testing.T) {
	r := expect(t, Options{Messages: write(t, clean().with(sent(4, record.Ambiguous, 500, 0), sent(5, record.Refused, 600, 0)))}, "")
	want := Counts{Acknowledged: 3, Duplicates: 1, Refused: 1, Ambiguous: 1, Delivered: 3, Settled: 3, Redelivered: 1}
	if r.Counts != want {
		t.Errorf("got %+v, want %+v", r.Counts, want)
	}
	// Message 2 was meant to start at 190 ms and was acknowledged, on its second attempt, at 220 ms.
	if got := r.Messages.Acknowledge; got.Count != 3 || got.Max < 29.9 || got.Max > 30.1 || got.P50 < 9.9 || got.P50 > 10.1 {
		t.Errorf("latencies %+v", got)
	}
	if g := r.Messages.LongestGap; g.Long != 120*time.Millisecond || !g.Start.Equal(time.Unix(0, at(100))) {
		t.Errorf("longest gap %+v", g)
	}
	if got := r.Messages.PerSecond; got < 14.9 || got > 15.1 {
		t.Errorf("%.2f a second, want 3 in 200 ms", got)
	}
	var text bytes.Buffer
	if err := r.Write(&text); err != nil || !strings.Contains(text.String(), "Every promise was kept") {
		t.Errorf("%v: %s", err, text.String())
	}
}

func booked(slot uint64, ubrn uint64, kind record.Kind, ms int64) record.Event {
	e := record.Event{Key: record.SlotKey(slot), Kind: kind, Ref: ubrn, At: at(ms)}
	if kind == record.Acknowledged {
		e.Start = at(ms - 20)
	}
	return e
}

func TestBookings(t *testing.T) {
	const a, b = 10000001, 10000002
	live := func(slot uint64, ubrn uint64) record.Event { return booked(slot, ubrn, record.Live, 0) }
	run := story{
		booked(a, 1, record.Acknowledged, 100), booked(a, 1, record.Cancelling, 150), booked(a, 1, record.Cancelled, 160),
		booked(a, 2, record.Acknowledged, 170), booked(b, 3, record.Acknowledged, 100), booked(b, 4, record.Refused, 120),
	}
	cases := map[string]struct {
		events story
		live   []record.Event
		want   Defect
		taken  []uint64
	}{
		"clean":                         {run, nil, "", nil},
		"clean, with database":          {run, story{live(a, 2), live(b, 3)}, "", nil},
		"two at a time":                 {run.with(booked(b, 4, record.Acknowledged, 130)), nil, DoubleBooked, nil},
		"two in the database":           {run.with(booked(b, 4, record.Ambiguous, 130)), story{live(a, 2), live(b, 3), live(b, 4)}, DoubleBooked, nil},
		"crossed by a cancelling":       {run.with(booked(b, 3, record.Cancelling, 125), booked(b, 4, record.Acknowledged, 130)), nil, "", nil},
		"lost":                          {run, story{live(b, 3)}, BookingLost, nil},
		"lost to another":               {run, story{live(a, 2), live(b, 4)}, BookingLost, nil},
		"cancelling, ambiguous":         {run.with(booked(a, 2, record.Cancelling, 200)), story{live(b, 3)}, "", nil},
		"cancelled, still there":        {run.with(booked(b, 3, record.Cancelling, 200), booked(b, 3, record.Cancelled, 210)), story{live(a, 2), live(b, 3)}, Uncancelled, nil},
		"displaced":                     {run.with(booked(b, 5, record.Acknowledged, 200)), story{live(a, 2), live(b, 5)}, Displaced, []uint64{3, 7}},
		"displaced by one unsure":       {run, story{live(a, 2), live(b, 4)}, Displaced, []uint64{3}},
		"displaced, by one cancelled":   {run.with(booked(b, 5, record.Acknowledged, 200), booked(b, 5, record.Cancelling, 300)), story{live(a, 2)}, Displaced, []uint64{3}},
		"displaced, and cancelled":      {run.with(booked(b, 5, record.Acknowledged, 200), booked(b, 3, record.Cancelling, 300)), story{live(a, 2), live(b, 5)}, "", []uint64{3}},
		"cancelled late, not displaced": {run.with(booked(b, 5, record.Acknowledged, 200), booked(b, 3, record.Cancelling, 300)), story{live(a, 2), live(b, 5)}, DoubleBooked, nil},
		"taken for nobody":              {run, story{live(a, 2)}, BookingLost, []uint64{3}},
		"taken from another":            {run, story{live(a, 2), live(b, 5)}, BookingLost, []uint64{4}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := Options{Bookings: write(t, c.events)}
			if c.live != nil {
				o.Booked = holds(c.live...)
				o.Taken = func() map[uint64]bool {
					out := map[uint64]bool{}
					for _, ubrn := range c.taken {
						out[ubrn] = true
					}
					return out
				}
			}
			expect(t, o, c.want)
		})
	}
}

// Bookings that go on hide no time in which messages stand still.
func TestGapOfEach(t *testing.T) {
	var bookings story
	for n := range 30 {
		bookings = append(bookings, booked(uint64(10000001+n), uint64(n+1), record.Acknowledged, int64(100+10*n)))
	}
	r := expect(t, Options{Messages: write(t, clean()), Bookings: write(t, bookings)}, "")
	if m, b := r.Messages.LongestGap, r.Bookings.LongestGap; m.Long != 120*time.Millisecond || b.Long != 10*time.Millisecond {
		t.Errorf("longest gap of messages %s, of bookings %s; want 120 and 10 ms", m.Long, b.Long)
	}
	if m, b := r.Messages.Acknowledge.Count, r.Bookings.Acknowledge.Count; m != 3 || b != 30 {
		t.Errorf("%d messages and %d bookings", m, b)
	}
}

// A run that does not fit into memory gives the same result.
func TestManyShards(t *testing.T) {
	var events story
	for seq := range uint64(5000) {
		ms := int64(seq)
		events = events.with(sent(seq, record.Acknowledged, ms, seq+1))
		if seq%100 != 7 {
			events = events.with(got(seq, ms, ms+5, seq+1), settled(seq, ms+9))
		}
	}
	dir := write(t, events)
	whole, err := Run(t.Context(), Options{Messages: dir})
	if err != nil {
		t.Fatal(err)
	}
	scratch := t.TempDir()
	sharded, err := Run(t.Context(), Options{Messages: dir, Scratch: scratch, memory: 500})
	if err != nil {
		t.Fatal(err)
	}
	if whole.Of(Lost) != 50 || len(whole.Findings[0].Cases) != listed {
		t.Errorf("found %d lost, %d listed", whole.Of(Lost), len(whole.Findings[0].Cases))
	}
	// Which of the lost are listed depends on the order of the shards; nothing else does.
	whole.Findings[0].Cases, sharded.Findings[0].Cases = nil, nil
	if !reflect.DeepEqual(whole, sharded) {
		t.Errorf("in memory %+v\nin shards %+v", whole, sharded)
	}
	if left := fmt.Sprint(leftIn(t, scratch)); left != "[]" {
		t.Errorf("left behind: %s", left)
	}
}

func TestTimeline(t *testing.T) {
	var tl Timeline
	for _, ms := range []int64{5000, 4000, 4063, 4064, 9000, 1000, 4001} {
		if !tl.Add(ms * 1e6) {
			t.Errorf("%d ms was refused", ms)
		}
	}
	if tl.Add(at(0)) || tl.Add(-at(0)) {
		t.Error("a time far outside the run was taken")
	}
	if got := tl.Span(); got != 8*time.Second {
		t.Errorf("span %s", got)
	}
	if g := tl.LongestGap(); g.Long != 4*time.Second || g.Start.UnixMilli() != 5000 {
		t.Errorf("longest gap %+v", g)
	}
	var one Timeline
	one.Add(at(1))
	if one.LongestGap().Long != 0 || one.Span() != 0 {
		t.Error("one mark has a gap")
	}
}
