// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// daysAhead is how many days have their partitions made before they begin.
const daysAhead = 3

// onceWritten are settings of a partition whose rows are written once, read by their key alone, and dropped with it: a
// vacuum has nothing to find in it, but would log every page of it in full, for each replica to write once more (half
// of what the disks wrote at 3,500 messages a second). Transactions are counted in days until the drop: 30 days at 300
// commits a second make 0.8 of the 2.1 thousand million that PostgreSQL tells apart.
const onceWritten = "autovacuum_enabled = false, autovacuum_freeze_max_age = 1000000000"

// partitioned lists the tables with a partition for each day, with the settings of their partitions. The target keeps
// a body of up to a page in its row: reading it then costs nothing more, and writing it no second table and index.
var partitioned = []struct{ table, settings string }{
	{"message", onceWritten + toastOnceWritten + ", toast_tuple_target = 8160"},
	{"part", onceWritten + toastOnceWritten},
	{"outcome", onceWritten + toastOnceWritten},
}

// toastOnceWritten says the same of what is too long for a row.
const toastOnceWritten = ", toast.autovacuum_enabled = false, toast.autovacuum_freeze_max_age = 1000000000"

// patiently changes a table that others use: while it waits for them they wait behind it, so it gives up soon, and is
// tried again by the next round.
func patiently(ctx context.Context, conn *pgx.Conn, sql string) error {
	_, err := conn.Exec(ctx, `SET lock_timeout = '2s'; `+sql+`; RESET lock_timeout`)
	return err
}

// EnsurePartitions makes the partitions from yesterday to daysAhead after now.
func (l *Ledger) EnsurePartitions(ctx context.Context, now time.Time) error {
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return unavailable(err)
	}
	defer conn.Release()
	return ensurePartitions(ctx, conn.Conn(), now)
}

func ensurePartitions(ctx context.Context, conn *pgx.Conn, now time.Time) error {
	return ensureDays(ctx, conn, now.AddDate(0, 0, -1), now.AddDate(0, 0, daysAhead))
}

// ensureDays makes the partitions from the day of first to that of last.
func ensureDays(ctx context.Context, conn *pgx.Conn, first, last time.Time) error {
	// Replicas that start together would make the same one twice.
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, lockMigrate); err != nil {
		return unavailable(err)
	}
	defer conn.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, lockMigrate) //nolint:errcheck // ends with the session
	for from := first.UTC().Truncate(24 * time.Hour); !from.After(last); from = from.AddDate(0, 0, 1) {
		for _, p := range partitioned {
			name := p.table + "_" + from.Format("20060102")
			var there bool
			if err := conn.QueryRow(ctx, `SELECT to_regclass('ledger.' || $1) IS NOT NULL`, name).Scan(&there); err != nil {
				return unavailable(err)
			}
			if there {
				continue
			}
			sql := fmt.Sprintf(`CREATE TABLE IF NOT EXISTS ledger.%s PARTITION OF ledger.%s FOR VALUES FROM (%d) TO (%d) WITH (%s)`,
				name, p.table, message.SeqAt(from), message.SeqAt(from.AddDate(0, 0, 1)), p.settings)
			if err := patiently(ctx, conn, sql); err != nil {
				return fmt.Errorf("ledger: making partition %s: %w", name, err)
			}
		}
	}
	return nil
}

// DropBefore deletes every message accepted before the day of cutoff, with its parts and outcome, and what is left of
// it among deliveries and dead letters. It returns the days dropped.
func (l *Ledger) DropBefore(ctx context.Context, cutoff time.Time) ([]string, error) {
	limit := cutoff.UTC().Truncate(24 * time.Hour)
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, `DELETE FROM ledger.delivery WHERE seq < $1`, message.SeqAt(limit)); err != nil {
		return nil, unavailable(err)
	}
	if _, err := conn.Exec(ctx, `DELETE FROM ledger.dead WHERE seq < $1`, message.SeqAt(limit)); err != nil {
		return nil, unavailable(err)
	}
	rows, err := conn.Query(ctx, `SELECT inhrelid::regclass::text FROM pg_inherits
		WHERE inhparent IN ('ledger.message'::regclass, 'ledger.part'::regclass, 'ledger.outcome'::regclass) ORDER BY 1`)
	if err != nil {
		return nil, unavailable(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, unavailable(err)
	}
	var dropped []string
	for _, name := range names {
		suffix := name[strings.LastIndexByte(name, '_')+1:]
		day, err := time.Parse("20060102", suffix)
		if err != nil || !day.Before(limit) {
			continue
		}
		if err := patiently(ctx, conn.Conn(), `DROP TABLE `+name); err != nil {
			return dropped, fmt.Errorf("ledger: dropping %s: %w", name, err)
		}
		dropped = append(dropped, name)
	}
	return dropped, nil
}
