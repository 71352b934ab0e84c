// SPDX-License-Identifier: Apache-2.0

//go:build engines

package ledger

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// What is carried over in two steps, with the gateways running between them, is what one step would have carried over.
func TestWhatIsCarriedAheadEndsAsItDidMeanwhile(t *testing.T) {
	w := newTwins(t, 2*time.Hour)
	w.dispatched("b0")
	uploading := w.begun("b1")
	w.part(uploading, 3)
	w.behind.Store(int64(90 * time.Minute))
	point := w.divide()
	w.behind.Store(int64(time.Hour))
	ended, waits, settled, buried, revived, again, dead := w.dispatched("ended"), w.dispatched("waits"), w.dispatched("settled"), w.dispatched("buried"), w.dispatched("revived"), w.dispatched("again"), w.dispatched("dead")
	early, late, half := w.begun("early"), w.begun("late"), w.begun("half")
	w.part(early, 2)
	w.part(late, 2)
	bury := func(seq message.Seq) {
		t.Helper()
		if ok, err := w.Bury(t.Context(), Ref{"TO", seq}, 3, "acme", "refused"); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	w.settle(ended)
	bury(revived)
	bury(dead)

	ahead := func() int64 {
		t.Helper()
		c, err := CarryAhead(t.Context(), database.URL(w.fromURL), database.URL(w.toURL), point)
		if err != nil {
			t.Fatal(err)
		}
		return c.Messages
	}
	if n := ahead(); n != 10 {
		t.Errorf("carried %d messages over ahead, want 10", n)
	}
	if n := ahead(); n != 0 {
		t.Errorf("again: %d", n)
	}
	if got := ask[int](t, w.toURL, `SELECT count(*)::int FROM ledger.delivery`)[0]; got != 1 {
		t.Errorf("%d deliveries are in the copy while gateways run, want the one of before", got)
	}
	// All but the one that had ended.
	if c := w.compare(point); c.After != 9 || c.Both != 12 {
		t.Errorf("ahead: %+v", c)
	}

	w.settle(settled)
	bury(buried)
	if _, err := w.Revive(t.Context(), "acme", []message.Seq{revived}, 1); err != nil {
		t.Fatal(err)
	}
	if err := w.Later(t.Context(), Ref{"TO", again}, 2, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	w.part(early, 3)
	w.part(late, 3)
	w.settle(late)
	w.part(uploading, 2)
	// Numbered before the first step began, and committed after it had ended.
	w.behind.Store(int64(margin / 2))
	numbered := w.dispatched("numbered before")
	w.behind.Store(0)
	since := w.dispatched("since")

	once := at(t, w.fromURL, "once")
	run(t, at(t, w.fromURL, "template1"), `CREATE DATABASE once TEMPLATE copy`)
	run(t, once, `TRUNCATE ledger.walked`, fmt.Sprintf(`DELETE FROM ledger.ahead; DELETE FROM ledger.request WHERE seq >= %[1]d;
		DELETE FROM ledger.outcome; DELETE FROM ledger.part WHERE seq >= %[1]d; DELETE FROM ledger.message WHERE seq >= %[1]d`, ended))
	if _, err := CarryOver(t.Context(), database.URL(w.fromURL), database.URL(once), point); err != nil {
		t.Fatal(err)
	}
	if n := w.carry(point); n != 12 {
		t.Errorf("then carried over %d messages, want 12", n)
	}
	want, got := state(t, once), state(t, w.toURL)
	if !slices.Equal(want, got) {
		t.Errorf("in two steps\n%s\nand in one\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	c, err := CompareSince(t.Context(), database.URL(w.fromURL), database.URL(w.toURL), point)
	if err != nil || c != (Comparison{Both: 12, Last: since}) {
		t.Errorf("since: %+v, %v", c, err)
	}
	if c := w.compare(point); c != (Comparison{Both: 14, Last: since}) {
		t.Errorf("at the end: %+v", c)
	}
	deliveries := ask[message.Seq](t, w.toURL, `SELECT seq FROM ledger.delivery ORDER BY 1`)
	if !slices.Equal(deliveries[1:], []message.Seq{uploading, waits, revived, again, early, numbered, since}) {
		t.Errorf("there wait %v", deliveries)
	}
	if letters := ask[message.Seq](t, w.toURL, `SELECT seq FROM ledger.dead ORDER BY 1`); !slices.Equal(letters, []message.Seq{buried, dead}) {
		t.Errorf("dead are %v", letters)
	}
	if outcomes := ask[message.Seq](t, w.toURL, `SELECT seq FROM ledger.outcome ORDER BY 1`); !slices.Equal(outcomes, []message.Seq{ended, settled, late}) {
		t.Errorf("outcomes of %v", outcomes)
	}
	if _, err := openTwin(t, w.toURL).AddPart(t.Context(), "FROM", half, 2, large(2), 100<<20, func(string, string) (string, int16) { return "TO", 0 }); err != nil {
		t.Error(err)
	}
}

func TestALedgerIsReadInStretches(t *testing.T) {
	w := newTwins(t, time.Hour)
	var seqs []message.Seq
	for i := range 11 {
		seqs = append(seqs, w.dispatched(fmt.Sprint("b", i)))
	}
	w.behind.Store(0)
	point := w.divide()
	run(t, w.fromURL, fmt.Sprintf(`DELETE FROM ledger.message WHERE seq BETWEEN %d AND %d`, seqs[2], seqs[8]))
	p, err := openPair(t.Context(), database.URL(w.fromURL), database.URL(w.toURL), point)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.stretch = 3
	var c Comparison
	reads := 0
	if err := p.stretches(t.Context(), seqs[0], seqs[10], func(low, high message.Seq) error {
		reads++
		before := c.Both + c.OnlyTo
		err := p.merge(t.Context(), func(f, t *found) error {
			c.count(f, t, p.floor)
			return nil
		}, allMessages, low, high)
		if n := c.Both + c.OnlyTo - before; n > 3 {
			t.Errorf("%d messages were read at once", n)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if want := (Comparison{Both: 4, OnlyTo: 7, Last: seqs[10]}); c != want || reads != 4 {
		t.Errorf("in %d reads: %+v, want %+v", reads, c, want)
	}
}
