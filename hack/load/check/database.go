// SPDX-License-Identifier: Apache-2.0

package check

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/hack/load/fleet"
	"spine.nhs.uk/controlplane/hack/load/record"
	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
	gateway "spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// ledgerQuery reads what the generator's mailboxes sent, whatever has become of it.
const ledgerQuery = `
SELECT m.seq, coalesce(m.request_id, m.local_id), m.hash, d.seq IS NOT NULL OR x.seq IS NOT NULL
FROM ledger.message m LEFT JOIN ledger.delivery d ON d.seq = m.seq LEFT JOIN ledger.dead x ON x.seq = m.seq
WHERE m.sender LIKE $1 AND coalesce(m.request_id, m.local_id) IS NOT NULL`

// Ledger reads the message gateway's database at a URL.
func Ledger(url string) Source {
	return func(ctx context.Context, each func([]record.Event) error) error {
		return rows(ctx, url, each, func(r pgx.Rows, e *record.Event) (bool, error) {
			var (
				seq       gateway.Seq
				requestID string
				hash      []byte
				open      bool
			)
			if err := r.Scan(&seq, &requestID, &hash, &open); err != nil {
				return false, err
			}
			mark, err := record.ParseMark([]byte(requestID))
			if err != nil {
				// Somebody else used the generator's mailbox.
				return false, nil
			}
			e.Key, e.Kind, e.Ref = mark.Key(), record.Finished, record.Ref(seq.String())
			copy(e.Hash[:], hash)
			if open {
				e.Kind = record.Held
			}
			return true, nil
		}, ledgerQuery, fleet.Prefix+"%")
	}
}

// bookedQuery reads every live booking of a slot, of any user, and without a slot every referral that a restore has changed.
const bookedQuery = `
SELECT slot_id, ubrn FROM booking.appointments WHERE slot_id IS NOT NULL AND state = 'BOOKED'
UNION ALL SELECT NULL, ubrn FROM booking.audit WHERE application = $1`

// Booked reads the booking service's database at a URL. Once it is read, taken are the referrals, by UBRN, of which it says
// that a restore took their slot, as it was another patient's by then. It is one query: a way to a database that somebody
// forwards may be good for one connection only.
func Booked(url string) (live Source, taken func() map[uint64]bool) {
	found := map[uint64]bool{}
	live = func(ctx context.Context, each func([]record.Event) error) error {
		return rows(ctx, url, each, func(r pgx.Rows, e *record.Event) (bool, error) {
			var slot *int64
			var ubrn int64
			if err := r.Scan(&slot, &ubrn); err != nil {
				return false, err
			}
			if slot == nil {
				found[uint64(ubrn)] = true
				return false, nil
			}
			e.Key, e.Kind, e.Ref = record.SlotKey(uint64(*slot)), record.Live, uint64(ubrn)
			return true, nil
		}, bookedQuery, store.Restorer)
	}
	return live, func() map[uint64]bool { return found }
}

// rows streams a query's rows as events, in blocks; one reads a row, or says that it is of no concern.
func rows(ctx context.Context, url string, each func([]record.Event) error,
	one func(pgx.Rows, *record.Event) (bool, error), query string, args ...any) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("the database to compare with: %w", err)
	}
	// A connection that was only read from has nothing to lose.
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	found, err := conn.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("the database to compare with: %w", err)
	}
	defer found.Close()
	events := make([]record.Event, 0, partFlush)
	for found.Next() {
		var e record.Event
		ok, err := one(found, &e)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if events = append(events, e); len(events) == cap(events) {
			if err := each(events); err != nil {
				return err
			}
			events = events[:0]
		}
	}
	if err := found.Err(); err != nil {
		return fmt.Errorf("the database to compare with: %w", err)
	}
	return each(events)
}
