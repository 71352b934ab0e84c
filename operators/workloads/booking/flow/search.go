// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"context"
	"sort"
	"strings"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// Services implements Front. Postcodes are compared by area: the whole outward
// part first, then its letters; real distance needs a table of coordinates
// that is not public.
func (d *Desk) Services(ctx context.Context, who domain.Caller, q ServiceQuery) ([]domain.Service, error) {
	if err := who.May(domain.ActSearch); err != nil {
		return nil, err
	}
	var problems domain.InvalidErrors
	if q.Specialty == "" || len(q.Specialty) > 64 {
		problems = append(problems, &domain.InvalidError{Field: "specialty", Want: "a code of SPECIALTY", Fix: "choose a specialty, for example CARDIOLOGY"})
	}
	if !q.Priority.Valid() {
		problems = append(problems, &domain.InvalidError{Field: "priority", Want: "ROUTINE, URGENT or TWO_WEEK_WAIT", Fix: "choose one of them"})
	}
	if len(q.Postcode) > 8 {
		problems = append(problems, &domain.InvalidError{Field: "postcode", Want: "at most 8 characters", Fix: "give a postcode, for example LS1 4AP"})
	}
	if q.Limit == 0 {
		q.Limit = 50
	}
	if q.Limit < 1 || q.Limit > 100 {
		problems = append(problems, &domain.InvalidError{Field: "limit", Want: "1 to 100", Fix: "ask for fewer services"})
	}
	if err := problems.OrNil(); err != nil {
		return nil, err
	}
	all, err := d.services.specialty(ctx, q.Specialty)
	if err != nil {
		return nil, err
	}
	named := strings.ToLower(q.Named)
	found := make([]domain.Service, 0, q.Limit)
	near := make([]int, 0, q.Limit)
	outward, area := district(q.Postcode)
	for _, s := range all {
		switch {
		case !s.Accepts(q.Priority),
			q.ClinicType != "" && s.ClinicType != "" && s.ClinicType != q.ClinicType,
			named != "" && !strings.Contains(strings.ToLower(s.Name), named) && !strings.Contains(strings.ToLower(s.Location), named):
			continue
		}
		found, near = append(found, s), append(near, nearness(s.Postcode, outward, area))
	}
	if outward != "" {
		sort.Stable(&byNearness{found, near})
	}
	return found[:min(len(found), q.Limit)], nil
}

// district is the outward part of a postcode ("LS1") and its letters ("LS").
func district(postcode string) (outward, area string) {
	outward = strings.ToUpper(strings.TrimSpace(postcode))
	if cut := strings.IndexByte(outward, ' '); cut > 0 {
		outward = outward[:cut]
	} else if len(outward) > 4 {
		outward = outward[:len(outward)-3]
	}
	return outward, areaOf(outward)
}

func nearness(postcode, outward, area string) int {
	theirs, letters := district(postcode)
	switch {
	case theirs == outward:
		return 0
	case letters == area:
		return 1
	}
	return 2
}

// byNearness sorts services and their nearness together; the order by wait is
// kept within equal nearness.
type byNearness struct {
	services []domain.Service
	near     []int
}

func (b *byNearness) Len() int           { return len(b.near) }
func (b *byNearness) Less(i, j int) bool { return b.near[i] < b.near[j] }
func (b *byNearness) Swap(i, j int) {
	b.services[i], b.services[j] = b.services[j], b.services[i]
	b.near[i], b.near[j] = b.near[j], b.near[i]
}

// Service implements Front.
func (d *Desk) Service(ctx context.Context, id int64) (domain.Service, error) {
	return d.services.one(ctx, id)
}

// Slots implements Front.
func (d *Desk) Slots(ctx context.Context, who domain.Caller, q SlotQuery) (SlotPage, error) {
	if err := who.May(domain.ActSlots); err != nil {
		return SlotPage{}, err
	}
	if q.Page == 0 {
		q.Page = 1
	}
	if q.Count == 0 {
		q.Count = 20
	}
	var problems domain.InvalidErrors
	if q.Page < 1 || q.Page > 10_000 {
		problems = append(problems, &domain.InvalidError{Field: "page", Want: "1 to 10000", Fix: "begin with page 1"})
	}
	if q.Count < 1 || q.Count > 100 {
		problems = append(problems, &domain.InvalidError{Field: "_count", Want: "1 to 100", Fix: "ask for at most 100 slots a page"})
	}
	if err := problems.OrNil(); err != nil {
		return SlotPage{}, err
	}
	service, err := d.services.one(ctx, q.Service)
	if err != nil {
		return SlotPage{}, err
	}
	if service.Bookable != domain.DirectlyBookable {
		return SlotPage{}, &domain.RuleError{Code: "INVALID_STATE", Why: "the service is not directly bookable, so it has no slots"}
	}
	now := d.now()
	if q.From.Before(now) {
		q.From = now
	}
	slots, total, err := d.store.FreeSlots(ctx, q.Service, q.From, q.To, q.Clinician, (q.Page-1)*q.Count, q.Count)
	if err != nil {
		return SlotPage{}, err
	}
	if len(slots) == 0 && q.Page > 1 {
		return SlotPage{}, domain.InvalidErrors{{Field: "page", Want: "a page that exists", Fix: "begin with page 1 again: slots are booked all the time"}}
	}
	return SlotPage{Slots: slots, Page: q.Page, Total: total}, nil
}

// Slot implements Front.
func (d *Desk) Slot(ctx context.Context, who domain.Caller, id int64) (domain.Slot, error) {
	if err := who.May(domain.ActSlots); err != nil {
		return domain.Slot{}, err
	}
	return d.store.Slot(ctx, id)
}

// areaOf is the letters that a postcode begins with.
func areaOf(outward string) string {
	for i := range len(outward) {
		if outward[i] < 'A' || outward[i] > 'Z' {
			return outward[:i]
		}
	}
	return outward
}
