// SPDX-License-Identifier: Apache-2.0

package replication

import (
	"context"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

// Querier is a pool or a connection.
type Querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Standbys names what receives the log of the primary that answers, as it is written, in order of names: instances by
// the names of their pods, the other site's by the name of the site. A standby that is up and past a fork of the log is
// not among them, whatever its pod says. Nil: it is not known, as the database is a standby itself or does not grant
// pg_read_all_stats, without which PostgreSQL leaves out who they are; or it is an Aurora, whose copies are its storage's.
func Standbys(ctx context.Context, engine database.Engine, q Querier) ([]string, error) {
	if engine != database.Replicated {
		return nil, nil
	}
	var known bool
	var names []string
	err := q.QueryRow(ctx, `SELECT pg_has_role('pg_read_all_stats', 'USAGE') AND NOT pg_is_in_recovery(),
		coalesce((SELECT array_agg(DISTINCT application_name ORDER BY application_name)
			FROM pg_stat_replication WHERE state = 'streaming'), '{}')`).Scan(&known, &names)
	if err != nil || !known {
		return nil, err
	}
	return names, nil
}
