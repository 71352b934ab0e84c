// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

const serviceColumns = `id, name, organisation, location, postcode, specialty, clinic_type, bookable, priorities, wait_days, endpoint, updated`

func scanService(row pgx.CollectableRow) (domain.Service, error) {
	var s domain.Service
	err := row.Scan(&s.ID, &s.Name, &s.Organisation, &s.Location, &s.Postcode, &s.Specialty, &s.ClinicType, &s.Bookable, &s.Priorities,
		&s.WaitDays, &s.Provider, &s.Updated)
	return s, err
}

// Specialty lists the services of one specialty, soonest first, at most limit.
func (s *Store) Specialty(ctx context.Context, specialty string, limit int) ([]domain.Service, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+serviceColumns+` FROM booking.services WHERE specialty = $1 AND active AND NOT probe
		ORDER BY wait_days, id LIMIT $2`, specialty, limit)
	if err != nil {
		return nil, unavailable(err)
	}
	return collect(rows, scanService)
}

// Services are the active services with these ids, in no order; an unknown id
// is left out.
func (s *Store) Services(ctx context.Context, ids []int64) ([]domain.Service, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+serviceColumns+` FROM booking.services WHERE id = ANY($1) AND active AND NOT probe`, ids)
	if err != nil {
		return nil, unavailable(err)
	}
	return collect(rows, scanService)
}

// FreeSlots is one page of a service's free slots after from, in order of
// time, and how many there are over all pages.
func (s *Store) FreeSlots(ctx context.Context, service int64, from, to time.Time, clinician string, offset, limit int) (slots []domain.Slot, total int, err error) {
	if to.IsZero() {
		to = from.AddDate(2, 0, 0)
	}
	rows, err := s.pool.Query(ctx, `SELECT id, service_id, reference, starts, ends, clinician, count(*) OVER () FROM booking.slots
		WHERE service_id = $1 AND state = 'FREE' AND starts > $2 AND starts < $3 AND ($4 = '' OR clinician = $4)
		ORDER BY starts, id OFFSET $5 LIMIT $6`, service, from, to, clinician, offset, limit)
	if err != nil {
		return nil, 0, unavailable(err)
	}
	slots, err = collect(rows, func(row pgx.CollectableRow) (domain.Slot, error) {
		t := domain.Slot{Free: true}
		err := row.Scan(&t.ID, &t.ServiceID, &t.Reference, &t.Start, &t.End, &t.Clinician, &total)
		return t, err
	})
	return slots, total, err
}

// Slot is one slot, free or not, or domain.ErrNotFound.
func (s *Store) Slot(ctx context.Context, id int64) (domain.Slot, error) {
	var t domain.Slot
	err := s.pool.QueryRow(ctx, `SELECT t.id, t.service_id, t.reference, t.starts, t.ends, t.clinician, t.state = 'FREE'
		FROM booking.slots t JOIN booking.services s ON s.id = t.service_id WHERE t.id = $1 AND NOT s.probe`, id).
		Scan(&t.ID, &t.ServiceID, &t.Reference, &t.Start, &t.End, &t.Clinician, &t.Free)
	if err != nil {
		return domain.Slot{}, missing(err)
	}
	return t, nil
}
