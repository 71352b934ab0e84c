// SPDX-License-Identifier: Apache-2.0

package check

import (
	"cmp"
	"fmt"
	"slices"

	"spine.nhs.uk/controlplane/hack/load/record"
)

// booking is all that is known of one referral's booking of one slot.
type booking struct {
	ubrn uint64
	// acked is when its acknowledgement came; cancelling is when its cancelling was about to be asked for: it surely
	// lived from the one to the other. cancelled is when that was acknowledged. 0 means never.
	acked, start, cancelling, cancelled int64
	live                                bool
	// displaced: another booking has had the slot since, which a restore took from this one's referral.
	displaced bool
}

// slot judges the events of one slot, in the order in which they were seen. A referral books a slot once at most, as
// the generator never books the same slot for the same referral again.
func (c *checker) slot(events []record.Event) {
	name := record.SlotOf(events[0].Key)
	byUBRN := map[uint64]*booking{}
	of := func(ubrn uint64) *booking {
		b := byUBRN[ubrn]
		if b == nil {
			b = &booking{ubrn: ubrn}
			byUBRN[ubrn] = b
		}
		return b
	}
	for i := range events {
		e := &events[i]
		b := of(e.Ref)
		switch e.Kind {
		case record.Acknowledged, record.Duplicate:
			if b.acked == 0 {
				b.acked, b.start = e.At, e.Start
			}
		case record.Cancelling:
			b.cancelling = e.At
		case record.Cancelled:
			b.cancelled = e.At
		case record.Live:
			b.live = true
		case record.Ambiguous:
			c.result.Counts.BookingsAmbiguous++
		case record.Refused:
			c.result.Counts.BookingsRefused++
		}
	}
	all := make([]*booking, 0, len(byUBRN))
	living := 0
	for _, b := range byUBRN {
		b.displaced = c.displaced(b, byUBRN)
		c.booked(name, b)
		if b.live {
			living++
		}
		if b.acked != 0 {
			all = append(all, b)
		}
	}
	if living > 1 {
		c.found(DoubleBooked, fmt.Sprintf("slot %d: the database holds %d live bookings", name, living))
	} else {
		c.overlaps(name, all)
	}
}

// displaced says whether a restore took the slot of a booking that was promised, as it was another one's by then. Its user
// may have cancelled it since.
func (c *checker) displaced(b *booking, all map[uint64]*booking) bool {
	if b.acked == 0 || b.live || !c.taken()[b.ubrn] {
		return false
	}
	for _, other := range all {
		if other != b && (other.live || other.acked > b.acked) && (b.cancelling == 0 || b.cancelling > other.acked) {
			return true
		}
	}
	return false
}

// booked judges one booking.
func (c *checker) booked(slot uint64, b *booking) {
	if b.acked == 0 {
		return
	}
	c.result.Counts.Bookings++
	if !c.books.add(b.start, b.acked) {
		c.found(Late, fmt.Sprintf("slot %d, UBRN %012d: booked at %s, outside any run: is a clock wrong?", slot, b.ubrn, clock(b.acked)))
	}
	if b.cancelled != 0 {
		c.result.Counts.Cancelled++
	}
	switch {
	case !c.bookings:
	case b.displaced && b.cancelling == 0:
		c.found(Displaced, fmt.Sprintf("slot %d, UBRN %012d: booked at %s, another one's now", slot, b.ubrn, clock(b.acked)))
	case b.cancelling == 0 && !b.live:
		c.found(BookingLost, fmt.Sprintf("slot %d, UBRN %012d: booked at %s, unknown to the database", slot, b.ubrn, clock(b.acked)))
	case b.cancelled != 0 && b.live:
		c.found(Uncancelled, fmt.Sprintf("slot %d, UBRN %012d: cancelled at %s, still live", slot, b.ubrn, clock(b.cancelled)))
	}
}

// overlaps reports bookings that were acknowledged while another one surely lived: it had been acknowledged when the
// second one was asked for, and nobody had begun to cancel it when the second one's acknowledgement had come. One that was
// displaced was not there meanwhile.
func (c *checker) overlaps(slot uint64, all []*booking) {
	slices.SortFunc(all, func(a, b *booking) int { return cmp.Compare(a.acked, b.acked) })
	for i, b := range all {
		for _, earlier := range all[:i] {
			if earlier.displaced {
				continue
			}
			if earlier.cancelling == 0 || earlier.cancelling > b.acked {
				c.found(DoubleBooked, fmt.Sprintf("slot %d: UBRN %012d at %s, and UBRN %012d at %s",
					slot, earlier.ubrn, clock(earlier.acked), b.ubrn, clock(b.acked)))
				return
			}
		}
	}
}
