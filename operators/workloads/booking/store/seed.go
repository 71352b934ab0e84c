// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// Seed says what a directory for tries and measurements holds.
type Seed struct {
	Services int    // 1 to 50,000
	Slots    int    // free slots of each directly bookable service, 0 to 5,000
	Endpoint string // base URL of the providers' system; empty: nobody is asked
}

// SeedSpecialties are the specialties that seeded services are spread over.
var SeedSpecialties = []string{"CARDIOLOGY", "DERMATOLOGY", "EAR_NOSE_AND_THROAT", "GASTROENTEROLOGY", "GYNAECOLOGY", "NEUROLOGY", "OPHTHALMOLOGY",
	"ORTHOPAEDICS", "RESPIRATORY_MEDICINE", "RHEUMATOLOGY", "UROLOGY"}

var seedPlaces = []struct{ name, postcode string }{{"Leeds", "LS1 3EX"}, {"York", "YO31 8HE"}, {"Bradford", "BD9 6RJ"}, {"Wakefield", "WF1 4DG"},
	{"Hull", "HU3 2JZ"}, {"Sheffield", "S5 7AU"}, {"Harrogate", "HG2 7SX"}}

// firstSeeded is the lowest id of a seeded service.
const firstSeeded = 11_000

// Put fills the directory. It may be repeated: services are updated and slots
// that exist are left alone, so that a later call adds the slots of later days.
func (s *Store) Put(ctx context.Context, seed Seed) error {
	now := s.now().UTC()
	for from := 0; from < seed.Services; from += 500 {
		batch := &pgx.Batch{}
		for i := from; i < min(from+500, seed.Services); i++ {
			service := seededService(i, seed.Endpoint)
			batch.Queue(`INSERT INTO booking.services (id, name, organisation, location, postcode, specialty, clinic_type, bookable, priorities, wait_days, endpoint, updated)
				VALUES ($1, $2, $3, $4, $5, $6, '', $7, $8, $9, $10, $11)
				ON CONFLICT (id) DO UPDATE SET name = excluded.name, endpoint = excluded.endpoint, updated = excluded.updated`,
				service.ID, service.Name, service.Organisation, service.Location, service.Postcode, service.Specialty, service.Bookable,
				service.Priorities, service.WaitDays, service.Provider, now)
			if service.Bookable != domain.DirectlyBookable || seed.Slots == 0 {
				continue
			}
			// 14 slots of half an hour a day, from 09:00 of the day after tomorrow.
			batch.Queue(`INSERT INTO booking.slots (service_id, reference, starts, ends)
				SELECT $1::bigint, 'USRN-' || $1::bigint || '-' || to_char(t, 'YYYYMMDDHH24MI'), t, t + interval '30 minutes'
				FROM generate_series(0, $2::int - 1) n, LATERAL (SELECT $3::timestamptz + (n / 14) * interval '1 day' + (n % 14) * interval '30 minutes' AS t) d
				ON CONFLICT DO NOTHING`, service.ID, seed.Slots, now.Truncate(24*time.Hour).Add(57*time.Hour))
		}
		if err := s.pool.SendBatch(ctx, batch).Close(); err != nil {
			return fmt.Errorf("seed services %d and on: %w", from, unavailable(err))
		}
	}
	_, err := s.pool.Exec(ctx, `ANALYZE booking.services, booking.slots`)
	return unavailable(err)
}

// seededService is the i-th service; each twentieth is for triage.
func seededService(i int, endpoint string) domain.Service {
	specialty, place := SeedSpecialties[i%len(SeedSpecialties)], seedPlaces[i%len(seedPlaces)]
	s := domain.Service{ID: firstSeeded + int64(i), Name: fmt.Sprintf("%s clinic %d, %s", specialty, i+1, place.name),
		Organisation: fmt.Sprintf("RX%d", i%10), Location: place.name + " Infirmary", Postcode: place.postcode, Specialty: specialty,
		Bookable: domain.DirectlyBookable, Priorities: []domain.Priority{domain.Routine, domain.Urgent}, WaitDays: 3 + i%60, Provider: endpoint}
	if i%20 == 19 {
		s.Bookable, s.Provider = domain.NotBookable, ""
		s.Name = fmt.Sprintf("%s triage %d, %s", specialty, i+1, place.name)
	}
	return s
}
