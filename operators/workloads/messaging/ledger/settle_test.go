// SPDX-License-Identifier: Apache-2.0

//go:build engines

package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/operatortest/engines"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// TestSettleReadsOnlyWhatItSettles fills a table that the server took for empty when it made its plans.
func TestSettleReadsOnlyWhatItSettles(t *testing.T) {
	url := engines.Postgres(t)
	l, err := Open(t.Context(), Config{Database: database.URL(url)})
	if err != nil {
		t.Fatal(err)
	}
	conn := connect(t, url)
	exec := func(sql string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	count := func(sql string) (n int64) {
		t.Helper()
		if err := conn.QueryRow(t.Context(), sql).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	settle := func(from, to int, want bool) {
		t.Helper()
		var refs []Ref
		for n := from; n <= to; n++ {
			refs = append(refs, Ref{fmt.Sprint("L", n%4), message.Seq(n)})
		}
		gone, err := l.Settle(t.Context(), refs)
		if err != nil || slices.Contains(gone, !want) {
			t.Fatalf("settle %d to %d: %v, %v", from, to, gone, err)
		}
	}
	const fill = `INSERT INTO ledger.delivery (lane, seq, flags) SELECT 'L' || g % 4, g, 0 FROM generate_series(1, 20000) g`
	exec(fill)
	exec(`DELETE FROM ledger.delivery`)
	exec(`VACUUM ANALYZE ledger.delivery`)
	// Often enough for both settlers to make their plans now.
	for range 20 {
		settle(1, 100, false)
	}
	exec(fill)
	for from := 1; from <= 20_000; from += 200 {
		settle(from, from+199, true)
	}
	l.Close()
	// The server has the figures of a session when that has ended.
	for count(`SELECT count(*) FROM pg_stat_activity WHERE application_name = 'message-gateway-writer'`) > 0 {
		time.Sleep(10 * time.Millisecond)
	}
	read := count(`SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'delivery_pkey'`)
	// A plan that reads the table for each settlement comes to a million.
	if read < 20_000 || read > 100_000 {
		t.Errorf("to settle 20 000 messages the server read %d entries of the index", read)
	}
}

func TestNothingMoreIsTakenWhileSettlementsWait(t *testing.T) {
	url := engines.Postgres(t)
	l := open(t, url)
	held := appendOne(t, l, entry(l, "held", nil))
	tx, err := connect(t, url).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT FROM ledger.delivery WHERE seq = $1 FOR UPDATE`, held.Seq); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := l.Settle(context.WithoutCancel(t.Context()), []Ref{{"TO", held.Seq}})
		done <- err
	}()
	var overloaded *message.OverloadedError
	for n := 0; !errors.As(err, &overloaded); n++ {
		if t.Context().Err() != nil || len(done) > 0 {
			t.Fatalf("never overloaded; %v", err)
		}
		err = l.Append([]*Entry{entry(l, fmt.Sprint(n), nil)})
	}
	if overloaded.RetryAfter < time.Second || overloaded.Throttled {
		t.Errorf("%+v", overloaded)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("settle: %v", err)
	}
	if e := appendOne(t, l, entry(l, "after", nil)); e.Err != nil {
		t.Error(e.Err)
	}
}
