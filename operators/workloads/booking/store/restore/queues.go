// SPDX-License-Identifier: Apache-2.0

package restore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// keys carries over idempotency keys that were used since the point and changed no referral: a deferral that is asked for
// again by another key is answered with what is there.
func (c *carry) keys(ctx context.Context) error {
	for low := c.floor; ; {
		var high *time.Time
		err := c.From.QueryRow(ctx, `SELECT max(created) FROM (SELECT created FROM booking.idempotency WHERE created >= $1 ORDER BY created LIMIT $2) k`,
			low, c.rows).Scan(&high)
		if err != nil || high == nil {
			return c.failed(c.From, err)
		}
		err = c.commit(ctx, func(from, to pgx.Tx) error {
			where := fmt.Sprintf(`created BETWEEN '%s' AND '%s'`, low.UTC().Format(time.RFC3339Nano), high.UTC().Format(time.RFC3339Nano))
			if err := keys.copy(ctx, from, to, where); err != nil {
				return err
			}
			return keys.insert(ctx, to, `ON CONFLICT DO NOTHING`)
		})
		if err != nil {
			return err
		}
		low = high.Add(time.Microsecond)
	}
}

// outbox carries over what the program has still to do for changes since the point, all of which are carried over. What
// the copy has still to do stays, though most of it was done since: whether it was is not known when it was deleted by
// hand, and receivers know it by its request.
//
// Neither can undo a booking. An event names the version that it tells of, and those of a referral that is carried over
// are of versions that it has had. A release names the request of an appointment that had ended when it was written; no
// appointment that ended is booked again, and another has another request.
func (c *carry) outbox(ctx context.Context) error {
	for low := int64(-1); ; {
		var high *int64
		err := c.From.QueryRow(ctx, `SELECT max(id) FROM (SELECT id FROM booking.outbox WHERE id > $1 ORDER BY id LIMIT $2) o`, low, c.rows).Scan(&high)
		if err != nil || high == nil {
			return c.failed(c.From, err)
		}
		err = c.commit(ctx, func(from, to pgx.Tx) error {
			if err := outbox.copy(ctx, from, to, fmt.Sprintf(`id > %d AND id <= %d`, low, *high)); err != nil {
				return err
			}
			return outbox.insert(ctx, to, `ON CONFLICT (request) DO NOTHING`)
		})
		if err != nil {
			return err
		}
		low = *high
	}
}
