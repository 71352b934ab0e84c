// SPDX-License-Identifier: Apache-2.0

package restore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

// table is one of the schema with its columns in any order: in a database that was migrated they may stand in another
// than in one that was made anew.
type table struct{ name, columns string }

var (
	referrals = table{"referrals", `ubrn, version, request_id, state, reason_set, reason_code, reason_comment, patient, referrer, clinician, provider,
		priority, specialty, clinic_type, shortlist, letter, reviewed, pathway, created, updated, appointment_id, access_salt, access_hash`}
	appointments = table{"appointments", `id, version, ubrn, service_id, slot_id, starts, ends, clinician, state, reason_set, reason_code, reason_comment,
		request, lease_until, created, updated`}
	issues   = table{"asi", `appointment_id, ubrn, service_id, organisation, reason, opened, contact_by, closed`}
	audit    = table{"audit", `id, at, application, user_id, organisation, role, event, ubrn, version, appointment_id`}
	keys     = table{"idempotency", `application, key, hash, ubrn, appointment_id, created`}
	outbox   = table{"outbox", `id, kind, request, body, created, attempts, due`}
	services = table{"services", `id, name, organisation, location, postcode, specialty, clinic_type, bookable, priorities, wait_days, endpoint, active,
		probe, updated`}
	slots    = table{"slots", `id, service_id, reference, starts, ends, clinician, state`}
	runs     = table{"poll_runs", `evening, holder, started, finished, services`}
	progress = table{"poll_progress", `evening, service_id, outcome, attempts, at`}
	session  = table{"session_key", `id, key`}
)

// stage makes an empty temporary table like it, for rows of one transaction.
func (t table) stage(ctx context.Context, to pgx.Tx) error {
	_, err := to.Exec(ctx, fmt.Sprintf(`CREATE TEMP TABLE IF NOT EXISTS carried_%[1]s (LIKE booking.%[1]s) ON COMMIT DELETE ROWS`, t.name))
	return err
}

// copy streams rows of the database before into the temporary table.
func (t table) copy(ctx context.Context, from, to pgx.Tx, where string) error {
	if err := t.stage(ctx, to); err != nil {
		return err
	}
	out := fmt.Sprintf(`COPY (SELECT %s FROM booking.%s WHERE %s) TO STDOUT (FORMAT binary)`, t.columns, t.name, where)
	in := fmt.Sprintf(`COPY pg_temp.carried_%s (%s) FROM STDIN (FORMAT binary)`, t.name, t.columns)
	return database.Pass(ctx, from.Conn().PgConn(), out, to.Conn().PgConn(), in)
}

// insert takes what was copied into the table itself, where rest says which of it and what of rows that are there.
func (t table) insert(ctx context.Context, to pgx.Tx, rest string, args ...any) error {
	_, err := to.Exec(ctx, fmt.Sprintf(`INSERT INTO booking.%[1]s AS t (%[2]s) OVERRIDING SYSTEM VALUE SELECT %[2]s FROM pg_temp.carried_%[1]s c %[3]s`,
		t.name, t.columns, rest), args...)
	return err
}
