// SPDX-License-Identifier: Apache-2.0

package restore

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/booking/poll"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

// slot is a row of slots.
type slot struct {
	id, service      int64
	reference        string
	starts, ends     time.Time
	clinician, state string
}

const withdrawn = "WITHDRAWN"

func scanSlot(row pgx.CollectableRow) (s slot, err error) {
	return s, row.Scan(&s.id, &s.service, &s.reference, &s.starts, &s.ends, &s.clinician, &s.state)
}

func (s slot) row() []any {
	return []any{s.id, s.service, s.reference, s.starts, s.ends, s.clinician, s.state}
}

// told is whose word on the slots of a service is newer than the copy's.
type told struct {
	// provided: the service has a provider's system, which polls and attempts to book ask about its slots.
	provided bool
	// polled: a poll since the point has stored what that system said.
	polled bool
}

// wanted is what the copy is to have of a slot; nil when what it has stays. Rows do not say when they were changed, so
// what tells a change by the program from one by hand is what the program may have done at all:
//
//   - FREE and TAKEN follow from appointments, at the end (states).
//   - Only a poll moves a slot, and only a poll offers a withdrawn one again. Without one since, the copy's word stands.
//   - Polls and attempts to book withdraw slots of providers' systems. One that was withdrawn by hand there is offered
//     again by the next poll; one that is gone, and offered, would fail a patient's booking.
//   - Slots of services without such a system are moved and withdrawn by nobody: what differs there was done by hand.
func wanted(f, t *slot, by told) *slot {
	if t == nil {
		return f
	}
	if f == nil {
		return nil
	}
	want := *t
	if by.polled {
		want.starts, want.ends = f.starts, f.ends
	}
	switch {
	case f.state == withdrawn && by.provided:
		want.state = withdrawn
	case f.state != withdrawn && t.state == withdrawn && by.polled:
		want.state = "FREE"
	}
	if want.state == t.state && want.starts.Equal(t.starts) && want.ends.Equal(t.ends) {
		return nil
	}
	return &want
}

// slots carries over those that were added since the point, and what was changed of others.
func (c *carry) slots(ctx context.Context) error {
	by, err := c.told(ctx)
	if err != nil {
		return err
	}
	var rows []slot
	flush := func() error {
		err := c.putSlots(ctx, rows)
		rows = rows[:0]
		return err
	}
	err = merge(ctx, c.pair, `SELECT `+slots.columns+` FROM booking.slots ORDER BY id`, scanSlot, func(s *slot) int64 { return s.id }, func(f, t *slot) error {
		service := int64(0)
		if f != nil {
			service = f.service
		}
		if want := wanted(f, t, by[service]); want != nil {
			rows = append(rows, *want)
		}
		if len(rows) < c.rows {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

func (c *carry) told(ctx context.Context) (map[int64]told, error) {
	rows, err := c.From.Query(ctx, `SELECT s.id, s.endpoint <> '', p.service_id IS NOT NULL FROM booking.services s
		LEFT JOIN (SELECT DISTINCT service_id FROM booking.poll_progress WHERE at >= $1 AND outcome = $2) p ON p.service_id = s.id`,
		c.floor, string(poll.Updated))
	if err != nil {
		return nil, c.failed(c.From, err)
	}
	by := map[int64]told{}
	var id int64
	var t told
	_, err = pgx.ForEachRow(rows, []any{&id, &t.provided, &t.polled}, func() error {
		by[id] = t
		return nil
	})
	return by, c.failed(c.From, err)
}

// putSlots writes slots with the numbers that they have in the database before: clients know them by those. A slot that
// was deleted there by hand and then stored anew by a poll or a seed has another number than in the copy, and is the same
// one of its service: two rows of it could be booked twice.
func (c *carry) putSlots(ctx context.Context, rows []slot) error {
	if len(rows) == 0 {
		return nil
	}
	return c.failed(c.To, database.Transaction(ctx, c.To, func(to pgx.Tx) error {
		if err := slots.stage(ctx, to); err != nil {
			return err
		}
		columns := strings.Split(strings.ReplaceAll(slots.columns, " ", ""), ",")
		_, err := to.CopyFrom(ctx, pgx.Identifier{"pg_temp", "carried_slots"}, columns, pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) { return rows[i].row(), nil }))
		if err != nil {
			return err
		}
		if err := renumber(ctx, to); err != nil {
			return err
		}
		return slots.insert(ctx, to, `ON CONFLICT (id) DO UPDATE SET starts = excluded.starts, ends = excluded.ends, state = excluded.state`)
	}))
}

// renumber gives slots of the copy the numbers that they have since.
func renumber(ctx context.Context, to pgx.Tx) error {
	rows, err := to.Query(ctx, `SELECT t.id, c.id FROM pg_temp.carried_slots c JOIN booking.slots t USING (service_id, reference) WHERE t.id <> c.id`)
	if err != nil {
		return err
	}
	var was, is []int64
	var before, since int64
	if _, err := pgx.ForEachRow(rows, []any{&before, &since}, func() error {
		was, is = append(was, before), append(is, since)
		return nil
	}); err != nil || len(was) == 0 {
		return err
	}
	// Both tables in one statement: references are checked at its end.
	_, err = to.Exec(ctx, `WITH n AS (SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS n (was, now)),
		a AS (UPDATE booking.appointments a SET slot_id = n.now FROM n WHERE a.slot_id = n.was)
		UPDATE booking.slots s SET id = n.now FROM n WHERE s.id = n.was`, was, is)
	return err
}

// states lets lists show what is so: a slot is TAKEN while an appointment holds it, and else FREE, unless it is WITHDRAWN.
func (c *carry) states(ctx context.Context) error {
	const end = `SELECT max(id), count(*) FROM (SELECT id FROM booking.slots WHERE id > $1 ORDER BY id LIMIT $2) s`
	for low := int64(-1); ; {
		var high *int64
		var n int
		if err := c.To.QueryRow(ctx, end, low, 4*c.rows).Scan(&high, &n); err != nil || n == 0 {
			return c.failed(c.To, err)
		}
		if err := c.failed(c.To, database.Transaction(ctx, c.To, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE booking.slots s SET state = CASE s.state WHEN 'TAKEN' THEN 'FREE' ELSE 'TAKEN' END
				WHERE s.id > $1 AND s.id <= $2 AND s.state <> 'WITHDRAWN' AND (s.state = 'TAKEN') <> coalesce((
					SELECT true FROM booking.appointments a WHERE a.slot_id = s.id AND a.state IN ('PENDING', 'BOOKED')), false)`, low, *high)
			return err
		})); err != nil {
			return err
		}
		low = *high
	}
}
