// SPDX-License-Identifier: Apache-2.0

package database

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Pair is two databases that are compared.
type Pair struct {
	From, To *pgxpool.Pool
	names    [2]string
}

// OpenPair opens at most so many connections to each; the names are those in errors. One that leads to the same database as the other is an error: a
// comparison would find that nothing is missing.
func OpenPair(ctx context.Context, from, to Source, names [2]string, application string, connections int) (*Pair, error) {
	p := &Pair{names: names}
	var err error
	if p.From, err = Pool(ctx, from, application, connections); err != nil {
		return nil, fmt.Errorf("%s: %w", names[0], err)
	}
	if p.To, err = Pool(ctx, to, application, connections); err != nil {
		p.From.Close()
		return nil, fmt.Errorf("%s: %w", names[1], err)
	}
	if err := p.distinct(ctx); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Close ends all connections.
func (p *Pair) Close() {
	p.From.Close()
	p.To.Close()
}

// Name says in errors which of the two a pool is.
func (p *Pair) Name(pool *pgxpool.Pool) string {
	if pool == p.From {
		return p.names[0]
	}
	return p.names[1]
}

func (p *Pair) distinct(ctx context.Context) error {
	const identity = `SELECT format('%s of a server since %s', current_database(), pg_postmaster_start_time())`
	var found [2]string
	for i, pool := range []*pgxpool.Pool{p.From, p.To} {
		if err := pool.QueryRow(ctx, identity).Scan(&found[i]); err != nil {
			return fmt.Errorf("%s: %w", p.Name(pool), err)
		}
	}
	if found[0] == found[1] {
		return fmt.Errorf("both addresses lead to the same database: give %s and %s", p.names[0], p.names[1])
	}
	return nil
}

// Pass streams the rows of one COPY ... TO STDOUT into another connection's COPY ... FROM STDIN.
func Pass(ctx context.Context, from *pgconn.PgConn, out string, to *pgconn.PgConn, in string) error {
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := from.CopyTo(ctx, w, out)
		w.CloseWithError(err)
		done <- err
	}()
	_, err := to.CopyFrom(ctx, r, in)
	// The other end stops when nobody reads.
	r.CloseWithError(io.ErrClosedPipe)
	if outErr := <-done; outErr != nil && !errors.Is(outErr, io.ErrClosedPipe) {
		return outErr
	}
	return err
}
