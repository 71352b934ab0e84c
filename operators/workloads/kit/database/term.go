// SPDX-License-Identifier: Apache-2.0

package database

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrSuperseded: the server was the primary once, and another one is now. A primary whose host hung and goes on does not
// know that for some seconds: what it is asked to commit waits for standbys that it no longer has, but what it is asked
// to read it answers, from before its successor's time.
var ErrSuperseded = errors.New("the database that answered is no longer the primary")

// terms are the primaries that a pool has seen. Each promotion begins another timeline of the same database, so that a
// lower one is a predecessor's.
type terms struct {
	mu       sync.Mutex
	database int64
	newest   uint32
}

// term is a connection's: the timeline on which its server was the primary when it was made.
type term struct {
	of       *terms
	database int64
	timeline uint32
}

// reign is what a connection carries of its server's time as the primary, under the key.
type reign interface{ superseded() bool }

const key = "reign"

func (t term) superseded() bool {
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	return t.database != t.of.database || t.timeline < t.of.newest
}

// see takes note of a new connection's term. Another database than before, one that was made anew, begins from there.
func (s *terms) see(database int64, timeline uint32) term {
	s.mu.Lock()
	defer s.mu.Unlock()
	if database != s.database {
		s.database, s.newest = database, timeline
	}
	s.newest = max(s.newest, timeline)
	return term{s, database, timeline}
}

// watch lets a pool give out connections to the newest primary that it has seen only.
func (s *terms) watch(config *pgxpool.Config) {
	config.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		var database int64
		var segment string
		err := c.QueryRow(ctx, `SELECT system_identifier, pg_walfile_name(pg_current_wal_lsn()) FROM pg_control_system()`).Scan(&database, &segment)
		if err != nil {
			return err
		}
		var timeline uint32
		if _, err := fmt.Sscanf(segment, "%8X", &timeline); err != nil {
			return fmt.Errorf("segment %q of the database's log: %w", segment, err)
		}
		t := s.see(database, timeline)
		c.PgConn().CustomData()[key] = t
		if t.superseded() {
			return ErrSuperseded
		}
		return nil
	}
	config.PrepareConn = current
}

// current says whether a connection may be given out.
func current(_ context.Context, c *pgx.Conn) (bool, error) { return Superseded(c) == nil, nil }

// Superseded is ErrSuperseded when a pool's connection leads to a primary that has a successor. Ask it after a read whose
// answer must not be from before the successor's time.
func Superseded(c *pgx.Conn) error {
	if r, ok := c.PgConn().CustomData()[key].(reign); ok && r.superseded() {
		return ErrSuperseded
	}
	return nil
}
