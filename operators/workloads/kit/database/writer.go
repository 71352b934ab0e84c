// SPDX-License-Identifier: Apache-2.0

package database

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// writers are those of an Aurora that a pool has been led to. Nothing numbers them, as timelines do; but a writer that
// loses its role restarts, so that a server since its start is the writer once.
//
// A writer whose host hung and goes on can commit nothing: the storage refuses it. Connections that were made before its
// successor was seen are left, as they might still answer with what they have in memory. A new connection that an old
// address leads to it is left with the next one to its successor; a message that is given out twice in between is known
// by its ID.
type writers struct {
	mu     sync.Mutex
	newest string
}

// turn is a connection's: the writer that it leads to.
type turn struct {
	of     *writers
	writer string
}

func (t turn) superseded() bool {
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	return t.writer != t.of.newest
}

// see takes note of a new connection's writer, which is the newest: the cluster's address led there.
func (w *writers) see(writer string) turn {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.newest = writer
	return turn{w, writer}
}

// watch lets a pool give out connections to the newest writer only.
func (w *writers) watch(config *pgxpool.Config) {
	config.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		var writer string
		if err := c.QueryRow(ctx, `SELECT format('%s since %s', inet_server_addr(), pg_postmaster_start_time())`).Scan(&writer); err != nil {
			return err
		}
		c.PgConn().CustomData()[key] = w.see(writer)
		return nil
	}
	config.PrepareConn = current
}
