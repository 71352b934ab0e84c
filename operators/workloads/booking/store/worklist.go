// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// List selects referrals of one organisation; see flow.WorklistQuery.
type List struct {
	Organisation string
	States       []domain.State
	Unreviewed   bool   // only those that the provider has not accepted
	Letter       string // only those with this letter intention
	Service      int64
	Specialty    string
	Clinician    string
	Limit        int
}

// Item is one line of a worklist.
type Item struct {
	Referral  domain.Referral
	Opened    time.Time
	ContactBy time.Time
}

// ofReferrer and ofProvider are the two sides of a referral; both have an
// index that begins with the organisation and the state.
const (
	ofReferrer = `r.referrer = $1 AND r.state = ANY($2)`
	ofProvider = `r.provider = $1 AND r.provider <> '' AND r.state = ANY($2)`
	listRest   = ` AND (NOT $3 OR NOT r.reviewed) AND ($4 = '' OR r.letter = $4) AND ($5 = 0 OR a.service_id = $5)
		AND ($6 = '' OR r.specialty = $6) AND ($7 = '' OR a.clinician = $7) ORDER BY r.updated, r.ubrn LIMIT $8`
)

// Referrer lists referrals that the organisation made, longest waiting first.
func (s *Store) Referrer(ctx context.Context, l List) ([]Item, error) {
	return s.list(ctx, ofReferrer, l)
}

// Provider lists referrals that the organisation holds.
func (s *Store) Provider(ctx context.Context, l List) ([]Item, error) {
	return s.list(ctx, ofProvider, l)
}

func (s *Store) list(ctx context.Context, side string, l List) ([]Item, error) {
	states := make([]string, len(l.States))
	for i, state := range l.States {
		states[i] = string(state)
	}
	rows, err := s.pool.Query(ctx, `SELECT `+referralColumns+referralTables+`WHERE `+side+listRest,
		l.Organisation, states, l.Unreviewed, l.Letter, l.Service, l.Specialty, l.Clinician, l.Limit)
	if err != nil {
		return nil, unavailable(err)
	}
	return collect(rows, func(row pgx.CollectableRow) (Item, error) {
		r, err := scanReferral(row)
		if err != nil {
			return Item{}, err
		}
		return Item{Referral: *r, Opened: r.Updated}, nil
	})
}

// SlotIssues lists the open ASIs of a provider, oldest first.
func (s *Store) SlotIssues(ctx context.Context, l List) ([]Item, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+referralColumns+`, i.opened, i.contact_by FROM booking.asi i JOIN booking.referrals r ON r.ubrn = i.ubrn
		JOIN booking.appointments a ON a.id = i.appointment_id JOIN booking.services s ON s.id = a.service_id
		WHERE i.organisation = $1 AND i.closed IS NULL AND ($2 = 0 OR i.service_id = $2) AND ($3 = '' OR r.specialty = $3)
		ORDER BY i.opened, i.ubrn LIMIT $4`, l.Organisation, l.Service, l.Specialty, l.Limit)
	if err != nil {
		return nil, unavailable(err)
	}
	return collect(rows, func(row pgx.CollectableRow) (Item, error) {
		var item Item
		r, err := scanReferral(row, &item.Opened, &item.ContactBy)
		if err != nil {
			return Item{}, err
		}
		item.Referral = *r
		return item, nil
	})
}
