// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// referralColumns are a referral with its current appointment, in the order
// that scanReferral reads them.
const referralColumns = `r.ubrn, r.version, r.request_id::text, r.state, r.reason_set, r.reason_code, r.reason_comment, r.patient, r.referrer,
 r.clinician, r.provider, r.priority, r.specialty, r.clinic_type, r.shortlist, r.letter, r.reviewed, r.pathway, r.created, r.updated, ` + appointmentColumns

const referralTables = ` FROM booking.referrals r LEFT JOIN booking.appointments a ON a.id = r.appointment_id LEFT JOIN booking.services s ON s.id = a.service_id `

const appointmentColumns = `a.id, a.version, a.ubrn, a.service_id, s.name, a.slot_id, a.starts, a.ends, a.clinician, a.state, a.reason_set, a.reason_code, a.reason_comment, a.created`

// shortlisted is how a shortlist is kept.
type shortlisted struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// appointmentRow is an appointment that an outer join may not have found.
type appointmentRow struct {
	id, version, ubrn, service, slot    *int64
	name, clinician, state              *string
	reasonSet, reasonCode, reasonRemark *string
	starts, ends, created               *time.Time
}

func (a *appointmentRow) fields() []any {
	return []any{&a.id, &a.version, &a.ubrn, &a.service, &a.name, &a.slot, &a.starts, &a.ends, &a.clinician, &a.state,
		&a.reasonSet, &a.reasonCode, &a.reasonRemark, &a.created}
}

func (a *appointmentRow) appointment() *domain.Appointment {
	if a.id == nil {
		return nil
	}
	return &domain.Appointment{
		ID: *a.id, Version: int(*a.version), UBRN: domain.UBRNFromNumber(*a.ubrn), ServiceID: *a.service, ServiceName: value(a.name),
		SlotID: value(a.slot), Start: value(a.starts).UTC(), End: value(a.ends).UTC(), Clinician: value(a.clinician),
		State:  domain.AppointmentState(*a.state),
		Reason: domain.Reason{Set: value(a.reasonSet), Code: value(a.reasonCode), Comment: value(a.reasonRemark)}, Created: a.created.UTC(),
	}
}

func value[T any](p *T) (zero T) {
	if p == nil {
		return zero
	}
	return *p
}

func scanReferral(row pgx.Row, more ...any) (*domain.Referral, error) {
	var (
		r     domain.Referral
		a     appointmentRow
		ubrn  int64
		short []shortlisted
	)
	fields := append([]any{&ubrn, &r.Version, &r.RequestID, &r.State, &r.Reason.Set, &r.Reason.Code, &r.Reason.Comment, (*string)(&r.Patient),
		&r.Referrer, &r.Clinician, &r.Provider, &r.Priority, &r.Specialty, &r.ClinicType, &short, &r.Letter, &r.Reviewed,
		&r.Pathway, &r.Created, &r.Updated}, a.fields()...)
	if err := row.Scan(append(fields, more...)...); err != nil {
		return nil, missing(err)
	}
	r.UBRN, r.Appointment = domain.UBRNFromNumber(ubrn), a.appointment()
	r.Pathway, r.Created, r.Updated = r.Pathway.UTC(), r.Created.UTC(), r.Updated.UTC()
	r.Shortlist = make([]domain.ShortlistEntry, len(short))
	for i, entry := range short {
		r.Shortlist[i] = domain.ShortlistEntry{ServiceID: entry.ID, Name: entry.Name}
	}
	return &r, nil
}

// Referral is one referral, or domain.ErrNotFound.
func (s *Store) Referral(ctx context.Context, ubrn domain.UBRN) (*domain.Referral, error) {
	return scanReferral(s.pool.QueryRow(ctx, `SELECT `+referralColumns+referralTables+`WHERE r.ubrn = $1`, ubrn.Number()))
}

// Appointment is one appointment, current or not, or domain.ErrNotFound. A
// pending attempt is not an appointment yet, and a failed one never was.
func (s *Store) Appointment(ctx context.Context, id int64) (*domain.Appointment, error) {
	var a appointmentRow
	err := s.pool.QueryRow(ctx, `SELECT `+appointmentColumns+` FROM booking.appointments a JOIN booking.services s ON s.id = a.service_id
		WHERE a.id = $1 AND a.state NOT IN ('PENDING', 'FAILED')`, id).Scan(a.fields()...)
	if err != nil {
		return nil, missing(err)
	}
	return a.appointment(), nil
}

// AccessHash is what an access code is checked against: SHA-256 of salt and
// code. domain.ErrNotFound when there is no such referral.
func (s *Store) AccessHash(ctx context.Context, ubrn domain.UBRN) (salt, hash []byte, err error) {
	err = s.pool.QueryRow(ctx, `SELECT access_salt, access_hash FROM booking.referrals WHERE ubrn = $1`, ubrn.Number()).Scan(&salt, &hash)
	if err != nil {
		return nil, nil, missing(err)
	}
	return salt, hash, nil
}
