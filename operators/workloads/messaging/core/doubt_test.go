// SPDX-License-Identifier: Apache-2.0

//go:build engines

package core

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/ledger"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// waits has every commit wait for a standby that there is not, until the returned function is called. One that is given
// up meanwhile is there all the same.
func waits(t *testing.T, s *site) (ends func()) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), s.db.URL)
	if err != nil {
		t.Fatal(err)
	}
	set := func(names string) {
		t.Helper()
		for _, statement := range []string{"ALTER SYSTEM SET synchronous_standby_names = '" + names + "'", "SELECT pg_reload_conf()"} {
			if _, err := conn.Exec(context.Background(), statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Cleanup(func() {
		set("")
		_ = conn.Close(context.Background())
	})
	set("ANY 1 (nobody)")
	// Until the server has read its settings, commits wait for nobody.
	eventually(t, "commits wait", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		tried, err := pgx.Connect(context.Background(), s.db.URL)
		if err != nil {
			t.Fatal(err)
		}
		defer tried.Close(context.Background()) //nolint:errcheck // nothing hangs on it
		_, err = tried.Exec(ctx, `SELECT pg_logical_emit_message(true, 'test', '')`)
		return errors.Is(err, context.DeadlineExceeded)
	})
	return func() { set("") }
}

// A message whose commit was in doubt, and which its sender repeats, goes to its receiver as soon as any.
func TestCommitInDoubt(t *testing.T) {
	s := newSite(t)
	g := s.start()
	// Somebody takes from the lane all the time: what lies there is not looked for in the ledger for minutes.
	defer g.enter("INT1").leave(g.now())
	one, parts := aMessage("INT1", "PSIS", "one"), aMessage("INT1", "PSIS", "parts")
	parts.Body = []byte("body of ")
	begun, err := g.Begin(t.Context(), parts, 2)
	if err != nil {
		t.Fatal(err)
	}
	last := func(within time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		return g.AddPart(ctx, parts.Sender, begun.ID, 2, []byte("parts"))
	}
	ends := waits(t, s)
	if err := last(time.Second); !errors.Is(err, message.ErrUnavailable) {
		t.Errorf("the last part: %v", err)
	}
	if r := submit(t, g.Gateway, []*message.Submission{one})[0]; !errors.Is(r.Err, message.ErrUnavailable) {
		t.Errorf("the message: %v", r.Err)
	}
	if published, first := g.published(), g.doubts.oldest(); first == 0 || published >= first {
		t.Errorf("all up to %s would not be looked for if this replica died, and %s is in doubt", published, first)
	}
	ends()
	if err := last(soon); err != nil {
		t.Error(err)
	}
	r := submit(t, g.Gateway, []*message.Submission{one})[0]
	if r.Err != nil || !r.Duplicate {
		t.Errorf("%+v, want one that was there before", r)
	}
	got := collect(t, g.Gateway, "INT1", 2)
	for _, id := range []string{begun.ID, r.ID} {
		if got[0] != id && got[1] != id {
			t.Errorf("%s is not among %q", id, got)
		}
	}
	eventually(t, "nothing is in doubt", func() bool { return len(g.doubts.all()) == 0 })
}

// The memory for what is in doubt is bounded.
func TestManyDoubts(t *testing.T) {
	var d doubts
	refs := make([]ledger.Ref, maxDoubts+1)
	for i := range refs {
		refs[i] = ledger.Ref{Lane: "INT1", Seq: message.Seq(i + 1)}
	}
	now := time.Now()
	d.add(now, refs[1:10]...)
	d.add(now.Add(time.Second), refs...)
	if got := len(d.all()); got > maxDoubts {
		t.Errorf("%d in doubt", got)
	}
	if got := d.oldest(); got != 1 {
		t.Errorf("the oldest is %s", got)
	}
	d.drop(now.Add(time.Second), refs[0])
	if got := d.oldest(); got == 1 || got == 0 {
		t.Errorf("the oldest left is %s", got)
	}
	d.drop(now.Add(2 * time.Second))
	if got := d.oldest(); got != 0 {
		t.Errorf("%s is still in doubt", got)
	}
}
