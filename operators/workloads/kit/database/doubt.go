// SPDX-License-Identifier: Apache-2.0

package database

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrDoubt is the error of a commit that may be on no other server than the primary: it may be lost by a failover, so it
// must not be acknowledged. Whether it was lost is known when it is asked for again.
var ErrDoubt = errors.New("the server warned that a commit may not be on its standbys")

// doubt is the key of what a connection of Pool was warned of.
const doubt = "doubt"

func noteDoubt(conn *pgconn.PgConn, notice *pgconn.Notice) {
	if notice.SeverityUnlocalized == "WARNING" {
		conn.CustomData()[doubt] = true
	}
}

// Transaction runs work in one transaction of a connection of Pool. A commit whose wait for the standbys is cut short, by
// pg_cancel_backend or a shutdown, succeeds at the server with no more than a warning; here it fails with ErrDoubt.
func Transaction(ctx context.Context, pool *pgxpool.Pool, work func(pgx.Tx) error) error {
	return pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
		warned := conn.Conn().PgConn().CustomData()
		delete(warned, doubt)
		if err := pgx.BeginFunc(ctx, conn, work); err != nil {
			return err
		}
		if warned[doubt] != nil {
			return ErrDoubt
		}
		return nil
	})
}
