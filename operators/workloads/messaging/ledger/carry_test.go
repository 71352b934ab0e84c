// SPDX-License-Identifier: Apache-2.0

//go:build engines

package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/operatortest/engines"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// twins are a ledger, and the copy of it that divide makes. Its replicas' clock is behind, so that a test can step it.
type twins struct {
	t              testing.TB
	fromURL, toURL string
	behind         atomic.Int64
	*Ledger
	stop func()
}

func newTwins(t testing.TB, behind time.Duration) *twins {
	t.Helper()
	w := &twins{t: t, fromURL: engines.PostgresServer(t).URL}
	w.toURL = at(t, w.fromURL, "copy")
	w.behind.Store(int64(behind))
	w.reopen()
	t.Cleanup(func() { w.stop() })
	return w
}

func at(t testing.TB, server, name string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func (w *twins) now() time.Time { return time.Now().Add(-time.Duration(w.behind.Load())) }

func (w *twins) reopen() {
	w.t.Helper()
	l, err := Open(context.Background(), Config{Database: database.URL(w.fromURL), Now: w.now})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Ledger, w.stop = l, l.Close
}

// divide makes the copy, whose point is now.
func (w *twins) divide() (point time.Time) {
	w.t.Helper()
	w.stop()
	run(w.t, at(w.t, w.fromURL, "template1"), `CREATE DATABASE copy TEMPLATE postgres`)
	point = w.now()
	w.reopen()
	return point
}

func run(t testing.TB, url string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // nothing hangs on it
	for _, sql := range statements {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

func ask[T any](t testing.TB, url, sql string) (found []T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // nothing hangs on it
	rows, err := conn.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	if found, err = pgx.CollectRows(rows, pgx.RowTo[T]); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return found
}

// dispatched appends a message that goes through the broker.
func (w *twins) dispatched(request string) message.Seq {
	w.t.Helper()
	e := entry(w.Ledger, request, []byte("body of "+request))
	e.Flags |= FlagDispatched
	if appendOne(w.t, w.Ledger, e); e.Err != nil || e.Duplicate != 0 {
		w.t.Fatalf("%s: %v, duplicate of %v", request, e.Err, e.Duplicate)
	}
	return e.Seq
}

// begun appends the first of three parts; all of them are large.
func (w *twins) begun(request string) message.Seq {
	w.t.Helper()
	e := entry(w.Ledger, request, large(1))
	e.Parts, e.Lane = 3, ""
	if appendOne(w.t, w.Ledger, e); e.Err != nil {
		w.t.Fatal(e.Err)
	}
	return e.Seq
}

func large(part int) []byte { return bytes.Repeat([]byte{byte(part), 0, 0xff}, 700_000) }

func (w *twins) part(seq message.Seq, part int) {
	w.t.Helper()
	lane := func(string, string) (string, int16) { return "TO", FlagDispatched }
	if _, err := w.AddPart(w.t.Context(), "FROM", seq, part, large(part), 100<<20, lane); err != nil {
		w.t.Fatal(err)
	}
}

func (w *twins) settle(seq message.Seq) {
	w.t.Helper()
	if gone, err := w.Settle(w.t.Context(), []Ref{{"TO", seq}}); err != nil || !gone[0] {
		w.t.Fatalf("settling: %v, %v", gone, err)
	}
}

func (w *twins) compare(point time.Time) Comparison {
	w.t.Helper()
	c, err := Compare(w.t.Context(), database.URL(w.fromURL), database.URL(w.toURL), point)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *twins) carry(point time.Time) int64 {
	w.t.Helper()
	c, err := CarryOver(w.t.Context(), database.URL(w.fromURL), database.URL(w.toURL), point)
	if err != nil {
		w.t.Fatal(err)
	}
	return c.Messages
}

// state is all that a ledger holds, but for its replicas.
func state(t testing.TB, url string) (all []string) {
	t.Helper()
	for _, table := range []string{"ledger.message", "ledger.part", "ledger.request", "ledger.delivery", "ledger.dead", "ledger.outcome",
		"(SELECT last_value, is_called FROM ledger.node)"} {
		all = append(all, ask[string](t, url, fmt.Sprintf(`SELECT '%[1]s: ' || md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM %[1]s t`, table))...)
	}
	return all
}

func TestWhatWasAcceptedAfterThePointIsCarriedOver(t *testing.T) {
	w := newTwins(t, 2*time.Hour)
	settled, since, destroyed, changed, waiting := w.dispatched("b0"), w.dispatched("b1"), w.dispatched("b2"), w.dispatched("b3"), w.dispatched("b4")
	w.settle(settled)
	uploading, expired := w.begun("b5"), w.dispatched("expired")
	w.part(uploading, 3)
	w.behind.Store(int64(90 * time.Minute))
	point := w.divide()
	if c := w.compare(point); c != (Comparison{Both: 7, Last: expired}) {
		t.Errorf("a true copy: %+v", c)
	}

	// Numbered before the point, and committed after it.
	w.behind.Store(int64(90*time.Minute + 30*time.Second))
	near := w.dispatched("close")
	w.behind.Store(int64(time.Hour))
	unsettled, done, dead, later := w.dispatched("a0"), w.dispatched("a1"), w.dispatched("a2"), w.dispatched("a3")
	listed := appendOne(t, w.Ledger, entry(w.Ledger, "a4", nil)).Seq
	whole, half := w.begun("a5"), w.begun("a6")
	w.part(whole, 2)
	w.part(whole, 3)
	w.part(half, 2)
	w.part(uploading, 2)
	run(t, w.fromURL, fmt.Sprintf(`DELETE FROM ledger.request WHERE seq = %d`, expired))
	anew := w.dispatched("expired")
	w.settle(since)
	w.settle(done)
	if ok, err := w.Bury(t.Context(), Ref{"TO", dead}, 3, "acme", "refused"); !ok || err != nil {
		t.Fatal(ok, err)
	}
	retry := time.Now().Add(time.Hour)
	if err := w.Later(t.Context(), Ref{"TO", later}, 2, retry); err != nil {
		t.Fatal(err)
	}
	// The accident.
	run(t, w.fromURL, fmt.Sprintf(`DELETE FROM ledger.delivery WHERE seq = %d`, destroyed),
		fmt.Sprintf(`DELETE FROM ledger.message WHERE seq = %d`, destroyed),
		fmt.Sprintf(`UPDATE ledger.message SET body = '' WHERE seq = %d`, changed))
	node := w.Node()

	want := Comparison{Both: 6, OnlyTo: 1, Differing: 1, After: 10, Last: expired}
	if c := w.compare(point); c != want {
		t.Errorf("before: %+v, want %+v", c, want)
	}
	if n := w.carry(point); n != 10 {
		t.Errorf("carried over %d messages, want 10", n)
	}
	want = Comparison{Both: 15, OnlyTo: 1, Differing: 1, Last: anew}
	if c := w.compare(point); c != want {
		t.Errorf("afterwards: %+v, want %+v", c, want)
	}
	before := state(t, w.toURL)
	if n := w.carry(point); n != 0 {
		t.Errorf("again: carried over %d messages", n)
	}
	if after := state(t, w.toURL); !slices.Equal(before, after) {
		t.Errorf("the second time changed something:\n%s\n%s", before, after)
	}

	to := openTwin(t, w.toURL)
	if to.Node() <= node {
		t.Errorf("a replica of the copy has the number %d; one before had %d", to.Node(), node)
	}
	refs, err := to.Due(t.Context(), time.Now(), 100)
	if err != nil {
		t.Fatal(err)
	}
	wantDue := []message.Seq{since, destroyed, changed, waiting, uploading, expired, near, unsettled, whole, anew}
	if got := seqsOf(refs); !slices.Equal(got, wantDue) {
		t.Errorf("due are %v\nwant %v", got, wantDue)
	}
	for _, seq := range ask[message.Seq](t, w.toURL, `SELECT seq FROM ledger.delivery WHERE extract(epoch FROM next_at) * 1000000 <> (seq >> 13) + 1577836800000000 AND next_at < now()`) {
		t.Errorf("%s is due at another time than that of its acceptance", seq)
	}
	if refs, err = to.Due(t.Context(), retry.Add(time.Second), 100); err != nil || !slices.Contains(seqsOf(refs), later) {
		t.Errorf("after its retry interval: %v, %v", refs, err)
	}
	if n, err := to.Count(t.Context(), "TO"); n != int64(len(wantDue))+2 || err != nil {
		t.Errorf("%d wait, want those, %s and %s; %v", n, later, listed, err)
	}
	letters, err := to.DeadLetters(t.Context(), "acme", 0, 10)
	if err != nil || len(letters) != 1 || letters[0].ID != dead.String() || letters[0].Attempts != 3 {
		t.Errorf("dead letters: %+v, %v", letters, err)
	}
	if track, err := to.Track(t.Context(), "FROM", done, "", keep); err != nil || track.State != message.StateAcknowledged || track.SettledAt.IsZero() {
		t.Errorf("track of what was settled: %+v, %v", track, err)
	}
	for _, seq := range []message.Seq{uploading, whole} {
		held, _, err := to.Fetch(t.Context(), "TO", []message.Seq{seq}, 1<<20, keep)
		if err != nil || len(held) != 1 || to.Whole(t.Context(), &held[0]) != nil || !bytes.Equal(held[0].Body, slices.Concat(large(1), large(2), large(3))) {
			t.Errorf("%s is not whole: %v", seq, err)
		}
	}
	// The upload goes on.
	if ref, err := to.AddPart(t.Context(), "FROM", half, 3, large(3), 100<<20, func(string, string) (string, int16) { return "TO", 0 }); err != nil || ref == nil {
		t.Errorf("the last part: %v, %v", ref, err)
	}
	for request, first := range map[string]message.Seq{"b0": settled, "close": near, "a0": unsettled, "a1": done, "a2": dead, "expired": anew} {
		if e := appendOne(t, to, entry(to, request, []byte("body of "+request))); e.Err != nil || e.Duplicate != first {
			t.Errorf("a repeat of %s: %v, duplicate of %v, want %s", request, e.Err, e.Duplicate, first)
		}
		if e := appendOne(t, to, entry(to, request, []byte("another"))); !errors.Is(e.Err, message.ErrConflict) {
			t.Errorf("%s with another payload: %v", request, e.Err)
		}
	}
}

func openTwin(t testing.TB, url string) *Ledger {
	t.Helper()
	l, err := Open(context.Background(), Config{Database: database.URL(url)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func seqsOf(refs []Ref) (seqs []message.Seq) {
	for _, r := range refs {
		seqs = append(seqs, r.Seq)
	}
	return seqs
}

func TestACarryOverThatIsCutOffIsTakenUpAgain(t *testing.T) {
	w := newTwins(t, time.Hour)
	w.dispatched("before")
	w.behind.Store(int64(30 * time.Minute))
	point := w.divide()
	w.behind.Store(0)
	var seqs []message.Seq
	for i := range 10 {
		seqs = append(seqs, w.dispatched(fmt.Sprint("a", i)))
	}
	// The second commit comes upon a message of which nobody knows yet whether it is there.
	tx, err := connect(t, w.toURL).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `INSERT INTO ledger.request (key, print, seq) SELECT gen_random_uuid(), gen_random_uuid(), 0`); err != nil {
		t.Fatal(err)
	}
	keys := ask[string](t, w.fromURL, fmt.Sprintf(`SELECT key::text FROM ledger.request WHERE seq = %d`, seqs[6]))
	if _, err := tx.Exec(t.Context(), `INSERT INTO ledger.request VALUES ($1, $1, 0)`, keys[0]); err != nil {
		t.Fatal(err)
	}
	p, err := openPair(t.Context(), database.URL(w.fromURL), database.URL(w.toURL), point)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cut := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- (&carry{pair: p, most: 4}).run(ctx) }()
	for len(ask[int](t, w.toURL, `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = 'copy'`)) == 0 {
		select {
		case err := <-ended:
			t.Fatalf("ended before it was cut off: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	cut()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("cut off: %v", err)
	}
	p.Close()
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	const waiting = `SELECT m.seq FROM ledger.message m JOIN ledger.delivery d USING (seq) WHERE d.next_at IS NOT NULL ORDER BY 1`
	if got := ask[message.Seq](t, w.toURL, waiting); !slices.Equal(got[1:], seqs[:4]) {
		t.Errorf("cut off with %v, want %v", got, seqs[:4])
	}
	if c := w.compare(point); c.Both != 5 || c.After != 6 {
		t.Errorf("cut off: %+v", c)
	}
	if n := w.carry(point); n != 6 {
		t.Errorf("then carried over %d messages, want 6", n)
	}
	if got := ask[message.Seq](t, w.toURL, waiting); !slices.Equal(got[1:], seqs) {
		t.Errorf("at the end %v, want %v", got, seqs)
	}
	if c := w.compare(point); c != (Comparison{Both: 11, Last: seqs[9]}) {
		t.Errorf("at the end: %+v", c)
	}
}

func TestDaysSinceThePointHaveTheirPartitions(t *testing.T) {
	w := newTwins(t, 9*24*time.Hour)
	w.dispatched("before")
	w.behind.Store(int64(8 * 24 * time.Hour))
	point := w.divide()
	for day := 7; day >= 0; day-- {
		w.behind.Store(int64(day) * int64(24*time.Hour))
		if err := w.EnsurePartitions(t.Context(), w.now()); err != nil {
			t.Fatal(err)
		}
		w.dispatched(fmt.Sprint("day ", day))
	}
	if n := w.carry(point); n != 8 {
		t.Errorf("carried over %d messages, want 8", n)
	}
	if c := w.compare(point); c.Both != 9 || c.After != 0 {
		t.Errorf("%+v", c)
	}
}

func TestWhatIsMissingInTheCopyIsFound(t *testing.T) {
	w := newTwins(t, time.Hour)
	lost := w.dispatched("lost")
	last := w.dispatched("kept")
	w.behind.Store(0)
	point := w.divide()
	run(t, w.toURL, fmt.Sprintf(`DELETE FROM ledger.message WHERE seq = %d`, lost))
	if c := w.compare(point); c != (Comparison{Both: 1, OnlyFrom: 1, Last: last}) {
		t.Errorf("%+v", c)
	}
	for name, to := range map[string]string{"same database": w.fromURL, "restored": at(t, w.fromURL, "template1")} {
		if _, err := Compare(t.Context(), database.URL(w.fromURL), database.URL(to), point); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReplicasOfACopyAreNumberedWhereTheLedgerStopped(t *testing.T) {
	w := newTwins(t, time.Hour)
	point := w.divide()
	for name, c := range map[string]struct{ from, to, want int64 }{
		"ahead":                 {40, 7, 40},
		"same":                  {40, 40, 40},
		"the copy is ahead":     {40, 72, 72},
		"ahead, and went round": {3, 8190, 3},
		"the copy went round":   {8190, 3, 3},
		"at the end":            {0, 8191, 0},
	} {
		run(t, w.fromURL, fmt.Sprintf(`SELECT setval('ledger.node', %d, false)`, c.from))
		run(t, w.toURL, fmt.Sprintf(`SELECT setval('ledger.node', %d, false)`, c.to))
		w.carry(point)
		if got := ask[int64](t, w.toURL, `SELECT nextval('ledger.node')`)[0]; got != c.want {
			t.Errorf("%s: the next has number %d, want %d", name, got, c.want)
		}
	}
}
