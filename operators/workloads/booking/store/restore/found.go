// SPDX-License-Identifier: Apache-2.0

package restore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
)

// found is what tells whether two referrals are the same, with all that belongs to them but their idempotency keys: the
// program forgets those for their age.
type found struct {
	ubrn    int64
	version int32
	// touched is when the program last changed the referral or one of its appointments. An attempt to book, and how it
	// failed, is a change of an appointment alone.
	touched time.Time
	print   int64
	// Appointments by their ids: when each was last changed, and its print.
	ids    []int64
	stamps []time.Time
	prints []int64
	// The print of all slot issues, and of all audit rows; nil when there are none.
	issues, audit *string
}

// after says whether the program changed the referral after the point of the copy, which has t of it.
func (f *found) after(t *found, floor time.Time) bool {
	switch {
	case f == nil || f.touched.Before(floor):
		return false
	case t == nil || f.version > t.version:
		return true
	case f.version < t.version:
		return false
	}
	for i, id := range f.ids {
		at := slices.Index(t.ids, id)
		if !f.stamps[i].Before(floor) && (at < 0 || t.stamps[at].Before(f.stamps[i])) {
			return true
		}
	}
	return false
}

func (f *found) alike(t *found) bool {
	return f.version == t.version && f.print == t.print && slices.Equal(f.ids, t.ids) && slices.Equal(f.prints, t.prints) &&
		same(f.issues, t.issues) && same(f.audit, t.audit)
}

func same(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

func key(f *found) int64 { return f.ubrn }

func scanFound(row pgx.CollectableRow) (f found, err error) {
	return f, row.Scan(&f.ubrn, &f.version, &f.touched, &f.print, &f.ids, &f.stamps, &f.prints, &f.issues, &f.audit)
}

// prints finds referrals in the order of their numbers, of which a condition says which. Nothing of what they say leaves
// the server. The lease of an attempt is no part of it: a replica that takes an attempt over renews it, and says so
// nowhere else. Nor is the deep probe's referral, which is no patient's and may have been made at any time.
func prints(condition, auditJoin, auditPrint string) string {
	return fmt.Sprintf(`SELECT ubrn, r.version, greatest(r.updated, a.updated), hashtextextended(ROW(r.version, r.request_id, r.state, r.reason_set,
			r.reason_code, r.reason_comment, r.patient, r.referrer, r.clinician, r.provider, r.priority, r.specialty, r.clinic_type, r.shortlist,
			r.letter, r.reviewed, r.pathway, r.created, r.updated, r.appointment_id, r.access_salt, r.access_hash)::text, 0),
			a.ids, a.stamps, a.prints, i.print, %[3]s
		FROM booking.referrals r
		LEFT JOIN (SELECT ubrn, max(updated) AS updated, array_agg(id ORDER BY id) AS ids, array_agg(updated ORDER BY id) AS stamps,
				array_agg(hashtextextended(ROW(version, service_id, slot_id, starts, ends, clinician, state, reason_set, reason_code, reason_comment,
					request, created, updated)::text, 0) ORDER BY id) AS prints
			FROM booking.appointments WHERE %[1]s GROUP BY ubrn) a USING (ubrn)
		LEFT JOIN (SELECT ubrn, sum(hashtextextended(ROW(%[4]s)::text, 0))::text AS print FROM booking.asi WHERE %[1]s GROUP BY ubrn) i USING (ubrn)
		%[2]s WHERE %[1]s AND ubrn <> %[5]d ORDER BY ubrn`, condition, auditJoin, auditPrint, issues.columns, store.ProbeUBRN)
}

// Audit rows are the most of all. They are read in one go for all referrals, and by their index for some.
var (
	ofAudit      = `sum(hashtextextended(ROW(` + audit.columns + `)::text, 0))::text`
	allReferrals = prints(`true`, `LEFT JOIN (SELECT ubrn, `+ofAudit+` AS print FROM booking.audit GROUP BY ubrn) u USING (ubrn)`, `u.print`)
	// someReferrals are those that a query before it names: these.
	someReferrals = prints(`ubrn IN (SELECT ubrn FROM these)`, ``, `(SELECT `+ofAudit+` FROM booking.audit u WHERE u.ubrn = r.ubrn)`)
)

// touchedSince and numbered are such queries, without parameters, as a cursor has none.
func touchedSince(floor time.Time) string {
	return fmt.Sprintf(`WITH these AS MATERIALIZED (SELECT ubrn FROM booking.referrals WHERE updated >= '%[1]s'
		UNION SELECT ubrn FROM booking.appointments WHERE updated >= '%[1]s') `, floor.Format(time.RFC3339Nano))
}

func numbered(ubrns []int64) string {
	return `WITH these AS MATERIALIZED (SELECT unnest(` + list(ubrns) + `) AS ubrn) `
}

// twin is one referral as both databases have it; t is nil when the copy lacks it.
type twin struct{ f, t *found }

// touched goes over the referrals that the program may have changed since the point of the copy, a block at a time.
func (p *pair) touched(ctx context.Context, see func([]twin) error) error {
	from, err := open(ctx, p, p.From, touchedSince(p.floor)+someReferrals, scanFound)
	if err != nil {
		return err
	}
	defer from.close(ctx)
	for {
		changed, err := from.take(ctx, p.block)
		if err != nil || len(changed) == 0 {
			return err
		}
		twins, err := p.lookUp(ctx, changed)
		if err != nil {
			return err
		}
		if err := see(twins); err != nil {
			return err
		}
	}
}

// lookUp finds what the copy has of referrals, which are in the order of their numbers.
func (p *pair) lookUp(ctx context.Context, changed []*found) ([]twin, error) {
	ubrns, twins := make([]int64, len(changed)), make([]twin, len(changed))
	for i, f := range changed {
		ubrns[i], twins[i].f = f.ubrn, f
	}
	to, err := open(ctx, p, p.To, numbered(ubrns)+someReferrals, scanFound)
	if err != nil {
		return nil, err
	}
	defer to.close(ctx)
	there, err := to.take(ctx, len(ubrns))
	for _, t := range there {
		at, _ := slices.BinarySearch(ubrns, t.ubrn)
		twins[at].t = t
	}
	return twins, err
}
