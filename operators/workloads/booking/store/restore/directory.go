// SPDX-License-Identifier: Apache-2.0

package restore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// services carries over those that were added, which slots and appointments refer to, and those that were changed since
// the point. There are some ten thousand at most: one commit has them all.
func (c *carry) services(ctx context.Context) error {
	return c.commit(ctx, func(from, to pgx.Tx) error {
		if err := services.copy(ctx, from, to, `true`); err != nil {
			return err
		}
		return services.insert(ctx, to, `ON CONFLICT (id) DO UPDATE SET `+services.excluded()+`
			WHERE excluded.updated >= $1 AND excluded.updated > t.updated`, c.floor)
	})
}

// polls carries over the evenings since the point, so that no service is asked again for them. A week of them is kept.
func (c *carry) polls(ctx context.Context) error {
	rows, err := c.From.Query(ctx, `SELECT evening::text FROM booking.poll_runs ORDER BY evening`)
	if err != nil {
		return c.failed(c.From, err)
	}
	evenings, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return c.failed(c.From, err)
	}
	for _, evening := range evenings {
		err := c.commit(ctx, func(from, to pgx.Tx) error {
			for _, t := range []table{runs, progress} {
				if err := t.copy(ctx, from, to, fmt.Sprintf(`evening = '%s'`, evening)); err != nil {
					return err
				}
			}
			if err := runs.insert(ctx, to, `ON CONFLICT (evening) DO UPDATE SET `+runs.excluded()+`
				WHERE greatest(excluded.started, excluded.finished) >= $1`, c.floor); err != nil {
				return err
			}
			return progress.insert(ctx, to, `WHERE at >= $1 ON CONFLICT (evening, service_id) DO UPDATE SET `+progress.excluded(), c.floor)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// session carries over the key that signs sessions if it was drawn since: whoever is signed in stays so.
func (c *carry) session(ctx context.Context) error {
	return c.commit(ctx, func(from, to pgx.Tx) error {
		if err := session.copy(ctx, from, to, `true`); err != nil {
			return err
		}
		return session.insert(ctx, to, `ON CONFLICT DO NOTHING`)
	})
}
