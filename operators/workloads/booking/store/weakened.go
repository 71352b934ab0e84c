// SPDX-License-Identifier: Apache-2.0

//go:build weakened

package store

import (
	"context"
	"os"

	"github.com/jackc/pgx/v5"
)

// weaken drops the constraint against double bookings when
// SPINE_WEAKEN=no-slot-constraint. It exists only in builds with the tag
// weakened, with which the checker of lost and double bookings proves that it
// would find them.
func weaken(ctx context.Context, conn *pgx.Conn) error {
	if os.Getenv("SPINE_WEAKEN") != "no-slot-constraint" {
		return nil
	}
	_, err := conn.Exec(ctx, `DROP INDEX IF EXISTS booking.one_booking_per_slot`)
	return err
}
