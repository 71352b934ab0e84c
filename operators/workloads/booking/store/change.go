// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// change is one locked referral on its way to its next version.
type change struct {
	tx       pgx.Tx
	now      time.Time
	who      domain.Caller
	referral *domain.Referral
	event    domain.Event
	batch    pgx.Batch // sent by save, in one round trip
}

// lock reads a referral for a change and checks what every change needs: that
// it is the caller's, that it has the version the caller saw (0: any), and
// that no booking attempt of it is waiting for a provider.
func (s *Store) lock(ctx context.Context, tx pgx.Tx, who domain.Caller, ubrn domain.UBRN, version int) (*change, error) {
	var pending bool
	r, err := scanReferral(tx.QueryRow(ctx, `SELECT `+referralColumns+`,
		EXISTS (SELECT FROM booking.appointments p WHERE p.ubrn = r.ubrn AND p.state = 'PENDING')`+
		referralTables+`WHERE r.ubrn = $1 FOR UPDATE OF r`, ubrn.Number()), &pending)
	if err != nil {
		return nil, err
	}
	if err := who.Owns(r); err != nil {
		return nil, err
	}
	if version != 0 && version != r.Version {
		return nil, &domain.VersionError{Want: version, Current: r.Version}
	}
	if pending {
		return nil, domain.ErrInProgress
	}
	return &change{tx: tx, now: s.now().UTC(), who: who, referral: r}, nil
}

// advance moves the referral to the state after event.
func (c *change) advance(event domain.Event, reason domain.Reason) error {
	next, err := c.referral.State.Next(event)
	if err != nil {
		return err
	}
	c.event, c.referral.State, c.referral.Reason = event, next, reason
	return nil
}

// save writes the referral with its next version, the audit row and the event,
// and everything else that was queued in the batch.
func (c *change) save(ctx context.Context, appointment int64) error {
	r := c.referral
	r.Version, r.Updated = r.Version+1, c.now
	c.batch.Queue(`UPDATE booking.referrals SET version = $2, state = $3, reason_set = $4, reason_code = $5, reason_comment = $6, provider = $7,
		priority = $8, reviewed = $9, updated = $10, appointment_id = $11 WHERE ubrn = $1`,
		r.UBRN.Number(), r.Version, r.State, r.Reason.Set, r.Reason.Code, r.Reason.Comment, r.Provider, r.Priority, r.Reviewed, c.now, idOrNull(appointment))
	c.audit(appointment)
	if err := c.emit(appointment); err != nil {
		return err
	}
	return c.tx.SendBatch(ctx, &c.batch).Close()
}

// audit says who did what. It holds no patient data: the UBRN leads to it only
// for someone who may read the referral.
func (c *change) audit(appointment int64) {
	c.batch.Queue(`INSERT INTO booking.audit (at, application, user_id, organisation, role, event, ubrn, version, appointment_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		c.now, c.who.Application, c.who.User, c.who.Organisation, string(c.who.Role), string(c.event), c.referral.UBRN.Number(), c.referral.Version, idOrNull(appointment))
}

// Event is what goes through the message gateway. No patient data.
type Event struct {
	Event       string `json:"event"`
	UBRN        string `json:"ubrn"`
	Version     int    `json:"version"`
	State       string `json:"state"`
	Referrer    string `json:"referrer"`
	Provider    string `json:"provider,omitempty"`
	Appointment int64  `json:"appointment,omitempty"`
	At          string `json:"at"`
}

func (c *change) emit(appointment int64) error {
	r := c.referral
	body, err := json.Marshal(Event{Event: string(c.event), UBRN: string(r.UBRN), Version: r.Version, State: string(r.State),
		Referrer: r.Referrer, Provider: r.Provider, Appointment: appointment, At: c.now.Format(time.RFC3339Nano)})
	if err != nil {
		return err
	}
	return c.send(kindEvent, body)
}

// send puts one message into the outbox.
func (c *change) send(kind string, body []byte) error {
	c.batch.Queue(`INSERT INTO booking.outbox (kind, request, body, created, due) VALUES ($1, $2, $3, $4, $4)`, kind, newUUID(), body, c.now)
	return nil
}

// release tells the provider's system, when the service has one, to give back
// the slot of a booking request.
func (c *change) release(ctx context.Context, appointment int64) error {
	var r Release
	err := c.tx.QueryRow(ctx, `SELECT s.id, s.endpoint, s.organisation, a.request::text FROM booking.appointments a JOIN booking.services s ON s.id = a.service_id
		WHERE a.id = $1`, appointment).Scan(&r.Service, &r.Endpoint, &r.Organisation, &r.Request)
	if err != nil {
		return err
	}
	if r.Endpoint == "" {
		return nil
	}
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return c.send(kindRelease, body)
}

// end gives the current appointment up: its row, its slot, its ASI.
func (c *change) end(ctx context.Context, state domain.AppointmentState, reason domain.Reason) error {
	a := c.referral.Appointment
	if a == nil {
		return nil
	}
	booked := a.State == domain.AppointmentBooked
	switch a.State {
	case domain.AppointmentBooked, domain.AppointmentDeferred, domain.AppointmentTriage:
	default:
		return nil // ended before
	}
	a.Version, a.State, a.Reason = a.Version+1, state, reason
	c.batch.Queue(`UPDATE booking.appointments SET version = $2, state = $3, reason_set = $4, reason_code = $5, reason_comment = $6, updated = $7 WHERE id = $1`,
		a.ID, a.Version, a.State, reason.Set, reason.Code, reason.Comment, c.now)
	c.closeASI()
	if !booked {
		return nil
	}
	if a.SlotID != 0 {
		c.batch.Queue(`UPDATE booking.slots SET state = 'FREE' WHERE id = $1 AND state = 'TAKEN'`, a.SlotID)
	}
	return c.release(ctx, a.ID)
}

func (c *change) closeASI() {
	c.batch.Queue(`UPDATE booking.asi SET closed = $2 WHERE ubrn = $1 AND closed IS NULL`, c.referral.UBRN.Number(), c.now)
}

func idOrNull(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}

// newUUID is a random (version 4) UUID.
func newUUID() string {
	var u [16]byte
	_, _ = rand.Read(u[:]) // crypto/rand never fails: it stops the program instead
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}
