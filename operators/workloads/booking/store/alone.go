// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/kit/alone"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

const (
	// aloneBatch bounds the changes that are looked for at once.
	aloneBatch = 2_000
	// aloneMargin: a change has its time some seconds before it is committed, and the clocks of replicas differ.
	aloneMargin = time.Minute
)

// recorded is a change of a referral that this site has on record. Two sites may have given theirs the same number.
type recorded struct {
	id, ubrn    int64
	version     int
	at          time.Time
	event       string
	appointment *int64
}

// Alone lists changes of referrals that one site's database has on record and the other's has not, but for those of deep
// probes. Nobody's name, number or letter is in the list.
func Alone() alone.List {
	return alone.List{
		Header: []string{"ubrn", "version", "changed", "event", "appointment", "version_there"},
		Margin: aloneMargin,
		Batches: func(p *database.Pair) alone.Batches {
			before := int64(math.MaxInt64)
			return func(ctx context.Context) ([]alone.Row, error) {
				rows, err := p.From.Query(ctx, `SELECT id, ubrn, version, at, event, appointment_id FROM booking.audit
					WHERE id < $1 AND ubrn <> $2 ORDER BY id DESC LIMIT $3`, before, ProbeUBRN, aloneBatch)
				var here []recorded
				if err == nil {
					here, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r recorded, err error) {
						return r, row.Scan(&r.id, &r.ubrn, &r.version, &r.at, &r.event, &r.appointment)
					})
				}
				if err != nil {
					return nil, fmt.Errorf("%s: %w", p.Name(p.From), err)
				}
				if len(here) == 0 {
					return nil, nil
				}
				before = here[len(here)-1].id
				return aloneOf(ctx, p, here)
			}
		},
	}
}

// aloneOf are these changes as rows of the list, with what the other site has of them.
func aloneOf(ctx context.Context, p *database.Pair, here []recorded) ([]alone.Row, error) {
	ubrns, times := make([]int64, len(here)), make([]time.Time, len(here))
	for i, r := range here {
		ubrns[i], times[i] = r.ubrn, r.at
	}
	type change struct {
		ubrn    int64
		version int
		micros  int64
		event   string
	}
	there := map[change]bool{}
	var c change
	var at time.Time
	rows, err := p.To.Query(ctx, `SELECT a.ubrn, a.version, a.at, a.event FROM booking.audit a
		JOIN unnest($1::bigint[], $2::timestamptz[]) AS asked (ubrn, at) USING (ubrn, at)`, ubrns, times)
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&c.ubrn, &c.version, &at, &c.event}, func() error {
			c.micros = at.UnixMicro()
			there[c] = true
			return nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name(p.To), err)
	}
	var lacking []int64
	out := make([]alone.Row, len(here))
	for i, r := range here {
		out[i] = alone.Row{At: r.at, Alone: !there[change{r.ubrn, r.version, r.at.UnixMicro(), r.event}]}
		if out[i].Alone {
			lacking = append(lacking, r.ubrn)
		}
	}
	if len(lacking) == 0 {
		return out, nil
	}
	versions, err := versionsOf(ctx, p.To, lacking)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name(p.To), err)
	}
	for i, r := range here {
		if !out[i].Alone {
			continue
		}
		appointment, version := "", ""
		if r.appointment != nil {
			appointment = strconv.FormatInt(*r.appointment, 10)
		}
		if v, known := versions[r.ubrn]; known {
			version = strconv.Itoa(v)
		}
		out[i].Columns = []string{
			string(domain.UBRNFromNumber(r.ubrn)), strconv.Itoa(r.version), r.at.UTC().Format(time.RFC3339Nano), r.event, appointment, version,
		}
	}
	return out, nil
}

// versionsOf these referrals at a site, of those that it has.
func versionsOf(ctx context.Context, pool *pgxpool.Pool, ubrns []int64) (map[int64]int, error) {
	rows, err := pool.Query(ctx, `SELECT ubrn, version FROM booking.referrals WHERE ubrn = ANY ($1::bigint[])`, ubrns)
	if err != nil {
		return nil, err
	}
	out := map[int64]int{}
	var ubrn int64
	var version int
	_, err = pgx.ForEachRow(rows, []any{&ubrn, &version}, func() error {
		out[ubrn] = version
		return nil
	})
	return out, err
}
