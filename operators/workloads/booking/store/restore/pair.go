// SPDX-License-Identifier: Apache-2.0

// Package restore compares a booking database that was restored to a point in time with the one before, and carries
// over what the program has changed since.
//
// What it compares and carries is a referral with all that belongs to it: appointments, slot issues, audit and
// idempotency keys. The program gives a referral another version with each change, and each appointment the time of its
// last, so that what the program changed since the point is told from what was changed or destroyed by hand: the former
// is carried over, the latter is undone.
package restore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
	kit "spine.nhs.uk/controlplane/operators/workloads/kit/restore"
)

const (
	// margin is how long before the point of a copy the program may have written a time into a row that is missing in the
	// copy: it reads the clock before it commits, no statement or lock of a change may take longer than some seconds, and
	// the clocks of replicas differ.
	margin = time.Minute
	// block is how many referrals of one database are looked up in the other with one query. Appointments have no index by
	// their referral, so that each query reads all of them.
	block = 20_000
	// connections of each pool: one reads in order while another copies.
	connections = 3
)

// pair is a booking database and its copy.
type pair struct {
	*database.Pair
	// floor is the first time of a change that may be missing in a true copy.
	floor time.Time
	block int
}

func openPair(ctx context.Context, from, to database.Source, until time.Time) (*pair, error) {
	both, err := database.OpenPair(ctx, set(from), set(to), kit.Names, "booking-service-restore", connections)
	if err != nil {
		return nil, err
	}
	return &pair{Pair: both, floor: until.Add(-margin).UTC(), block: block}, nil
}

// set adds settings for connections that read whole tables in order.
func set(source database.Source) database.Source {
	return func() (database.Settings, error) {
		c, err := source()
		if err != nil {
			return c, err
		}
		for name, value := range map[string]string{
			"timezone": "UTC", // prints are made of the text of times
			// A cursor is read to its end, and waits for as long as the other database sorts.
			"cursor_tuple_fraction": "1", "idle_in_transaction_session_timeout": "0", "work_mem": "64MB", "jit": "off",
		} {
			c.RuntimeParams[name] = value
		}
		return c, nil
	}
}

func (p *pair) failed(pool *pgxpool.Pool, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("bookings of %s: %w", p.Name(pool), err)
}
