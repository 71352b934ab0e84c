// SPDX-License-Identifier: Apache-2.0

// Package replication tells how far the database of the other site is behind this one's.
package replication

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

// Status of the other site's database, as /statusz shows it. What is not known is left out.
type Status struct {
	// Streaming says that it receives what is written as it is written.
	Streaming bool `json:"streaming"`
	// BehindBytes of the log are known to be missing there.
	BehindBytes *int64 `json:"behindBytes,omitempty"`
	// BehindSeconds is a ceiling: nothing that was written longer ago is missing there. 0: nothing
	// is missing of what was written before At.
	BehindSeconds *int64 `json:"behindSeconds,omitempty"`
	// At is when that was so.
	At time.Time `json:"at"`
}

// Watch looks at the other site's database from this one's.
type Watch struct {
	pool *pgxpool.Pool
	peer string
	now  func() time.Time

	mu sync.Mutex
	// marks are places in the log with when they were reached, oldest first. Of those that the
	// other site has, only the last is kept.
	marks []mark
	// there is the last place that the other site is known to have on disk; 0 before it is.
	there int64
}

type mark struct {
	place int64
	at    time.Time
}

const (
	// maxMarks bounds how far back the ceiling is known; one is made for each look.
	maxMarks = 4096
	// tries and pause: what was written just now is there a moment later.
	tries = 4
	pause = 25 * time.Millisecond
)

// New watches the site of that name, under which its database follows. Close ends it.
func New(ctx context.Context, source database.Source, peer string) (*Watch, error) {
	pool, err := database.Pool(ctx, source, "replication", 1)
	if err != nil {
		return nil, err
	}
	return &Watch{pool: pool, peer: peer, now: time.Now}, nil
}

// Close the connection.
func (w *Watch) Close() { w.pool.Close() }

// errFollowing: this site's database follows the other one.
var errFollowing = errors.New("this site's database follows the other site's")

// Look asks the database. It needs the rights of pg_read_all_stats.
func (w *Watch) Look(ctx context.Context) (*Status, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := w.now()
	var here int64
	err := w.pool.QueryRow(ctx, `SELECT CASE WHEN pg_is_in_recovery() THEN -1 ELSE pg_current_wal_flush_lsn() - '0/0'::pg_lsn END::bigint`).Scan(&here)
	if err != nil {
		return nil, err
	}
	if here < 0 {
		w.marks, w.there = nil, 0
		return nil, errFollowing
	}
	streaming := false
	for try := 0; try < tries; try++ {
		var there int64
		err := w.pool.QueryRow(ctx, `SELECT max(flush_lsn - '0/0'::pg_lsn)::bigint FROM pg_stat_replication
			WHERE application_name = $1 AND state = 'streaming' HAVING max(flush_lsn) IS NOT NULL`, w.peer).Scan(&there)
		if streaming = err == nil; streaming {
			w.there = max(w.there, there)
		} else if !errors.Is(err, pgx.ErrNoRows) {
			return nil, fmt.Errorf("the other site's standby: %w", err)
		}
		if !streaming || there >= here {
			break
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(pause):
		}
	}
	return w.judge(at, here, streaming), nil
}

// judge says what follows from the place that this site had reached by then, and from the
// last one that the other site is known to have.
func (w *Watch) judge(at time.Time, here int64, streaming bool) *Status {
	w.marks = append(w.marks, mark{here, at})
	for len(w.marks) > 1 && w.marks[1].place <= w.there {
		w.marks = w.marks[1:]
	}
	if len(w.marks) > maxMarks {
		// The oldest but one goes: the ceiling stays a ceiling, and gets coarser.
		w.marks = append(w.marks[:1], w.marks[2:]...)
	}
	s := &Status{Streaming: streaming, At: at}
	if w.there == 0 {
		return s
	}
	bytes := max(here-w.there, 0)
	s.BehindBytes = &bytes
	if oldest := w.marks[0]; oldest.place <= w.there {
		seconds := int64(0)
		if bytes > 0 {
			seconds = max(1, int64(math.Ceil(at.Sub(oldest.at).Seconds())))
		}
		s.BehindSeconds = &seconds
	}
	return s
}
