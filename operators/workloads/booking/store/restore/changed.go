// SPDX-License-Identifier: Apache-2.0

package restore

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

// after goes over the referrals that are to be carried over, as many at a time as one commit may have.
func (c *carry) after(ctx context.Context, see func([]twin) error) error {
	return c.touched(ctx, func(twins []twin) error {
		var these []twin
		for i, w := range twins {
			if w.f.after(w.t, c.floor) {
				these = append(these, w)
			}
			if len(these) == c.referrals || i == len(twins)-1 && len(these) > 0 {
				if err := see(these); err != nil {
					return err
				}
				these = nil
			}
		}
		return nil
	})
}

// clear removes the appointments of referrals that are to be carried over from the copy, before the first is: a slot
// that one of them held at the point may be another's of them since, and neither of the two is displaced. A carry-over
// that is cut off here knows them again, by the version or by the appointments that the copy now lacks.
func (c *carry) clear(ctx context.Context) error {
	return c.after(ctx, func(twins []twin) error {
		var ids []int64
		for _, w := range twins {
			if w.t != nil {
				ids = append(ids, w.t.ids...)
			}
		}
		if len(ids) == 0 {
			return nil
		}
		return c.failed(c.To, database.Transaction(ctx, c.To, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `DELETE FROM booking.asi WHERE appointment_id = ANY ($1)`, ids); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `DELETE FROM booking.appointments WHERE id = ANY ($1)`, ids)
			return err
		}))
	})
}

// changed carries over the referrals that the program changed since the point.
func (c *carry) changed(ctx context.Context) error {
	return c.after(ctx, func(twins []twin) error {
		if err := c.commit(ctx, func(from, to pgx.Tx) error { return c.replace(ctx, from, to, twins) }); err != nil {
			return err
		}
		c.done.Referrals += int64(len(twins))
		return nil
	})
}

// replace takes referrals with all that belongs to them, in place of what the copy has. Its appointments are gone by now.
func (c *carry) replace(ctx context.Context, from, to pgx.Tx, twins []twin) error {
	var ubrns, ids []int64
	for _, w := range twins {
		ubrns, ids = append(ubrns, w.f.ubrn), append(ids, w.f.ids...)
	}
	these := `ubrn = ANY (` + list(ubrns) + `)`
	for _, t := range []struct {
		table
		where string
	}{
		{referrals, these}, {appointments, `id = ANY (` + list(ids) + `)`}, {issues, `appointment_id = ANY (` + list(ids) + `)`},
		{audit, these}, {keys, these},
	} {
		if err := t.copy(ctx, from, to, t.where); err != nil {
			return err
		}
	}
	if err := referrals.insert(ctx, to, `ON CONFLICT (ubrn) DO UPDATE SET `+referrals.excluded()); err != nil {
		return err
	}
	if err := c.displace(ctx, to); err != nil {
		return err
	}
	if err := appointments.insert(ctx, to, ``); err != nil {
		return err
	}
	if err := issues.insert(ctx, to, ``); err != nil {
		return err
	}
	// Audit rows are added, and never taken away. The number of another row is an error.
	if err := audit.insert(ctx, to, `WHERE NOT EXISTS (SELECT FROM booking.audit a WHERE a.ubrn = c.ubrn AND a.at = c.at AND a.id = c.id)`); err != nil {
		return err
	}
	// A key goes when its attempt fails, so that the caller may repeat the request; and one that has expired may have been
	// used for another referral since.
	if _, err := to.Exec(ctx, `DELETE FROM booking.idempotency WHERE ubrn = ANY ($1)`, ubrns); err != nil {
		return err
	}
	return keys.insert(ctx, to, `ON CONFLICT (application, key) DO UPDATE SET `+keys.excluded())
}

// displace takes slots that the copied appointments hold from whom the copy has in them.
func (c *carry) displace(ctx context.Context, to pgx.Tx) error {
	rows, err := to.Query(ctx, `SELECT t.id FROM pg_temp.carried_appointments c JOIN booking.appointments t ON t.slot_id = c.slot_id
		WHERE c.state IN ('PENDING', 'BOOKED') AND t.slot_id IS NOT NULL AND t.state IN ('PENDING', 'BOOKED') ORDER BY t.id`)
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := store.Displace(ctx, to, c.now(), id); err != nil {
			return fmt.Errorf("taking the slot from appointment %d: %w", id, err)
		}
	}
	return nil
}

// displaced counts the slot issues that carry-overs into this copy made: those of an earlier restore, after which the
// database before came to be in use, are in that as well.
func (c *carry) displaced(ctx context.Context, until time.Time) (n int64, err error) {
	rows, err := c.To.Query(ctx, `SELECT u.id FROM booking.asi i JOIN booking.audit u ON u.ubrn = i.ubrn AND u.at = i.opened
		WHERE i.opened >= $1 AND u.application = $2`, until, store.Restorer)
	if err != nil {
		return 0, c.failed(c.To, err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return 0, c.failed(c.To, err)
	}
	err = c.From.QueryRow(ctx, `SELECT count(*) FROM booking.audit WHERE id = ANY ($1)`, ids).Scan(&n)
	return int64(len(ids)) - n, c.failed(c.From, err)
}

// excluded sets all columns to those of the row that was to be inserted.
func (t table) excluded() string {
	var b strings.Builder
	for i, column := range strings.Split(t.columns, ",") {
		if i > 0 {
			b.WriteString(", ")
		}
		column = strings.TrimSpace(column)
		b.WriteString(column + " = excluded." + column)
	}
	return b.String()
}

// list is an array as a literal, as COPY has no parameters.
func list(numbers []int64) string {
	b := []byte("'{")
	for i, n := range numbers {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, n, 10)
	}
	return string(append(b, "}'::bigint[]"...))
}
