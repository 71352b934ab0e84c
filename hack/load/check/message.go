// SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"time"

	"spine.nhs.uk/controlplane/hack/load/record"
)

// message is all that is known of one message.
type message struct {
	acks, refused, ambiguous, deliveries int
	duplicate, held, finished            bool
	// start is the intended start, from the first attempt; acked and delivered are the first of their kind.
	start, acked, delivered int64
	settled                 int64
	hash                    [16]byte
	hashed                  bool
	ref                     uint64
}

// message judges the events of one message, in the order in which they were seen. Each defect counts once a message.
func (c *checker) message(events []record.Event) {
	mark := record.MarkOf(events[0].Key)
	var m message
	found := map[Defect]string{}
	add := func(d Defect, format string, args ...any) {
		if found[d] == "" {
			found[d] = fmt.Sprintf("%s, mailbox %d to %d: ", mark, mark.Sender, mark.Recipient) + fmt.Sprintf(format, args...)
		}
	}
	// What senders say comes first: a receiver may see a message before its sender hears of it.
	for i := range events {
		c.told(&m, &events[i], add)
	}
	for i := range events {
		c.got(&m, mark, &events[i], add)
	}
	c.settle(&m, add)
	for d, text := range found {
		c.found(d, text)
	}
}

type adder func(d Defect, format string, args ...any)

// told takes in what the sender saw.
func (c *checker) told(m *message, e *record.Event, add adder) {
	switch e.Kind {
	case record.Acknowledged, record.Duplicate:
		m.acks++
		m.duplicate = m.duplicate || e.Kind == record.Duplicate
		if m.acked == 0 {
			m.acked = e.At
		}
		m.name(e, add)
	case record.Refused:
		m.refused++
	case record.Ambiguous:
		m.ambiguous++
	default:
		return
	}
	if m.start == 0 || e.Start < m.start {
		m.start = e.Start
	}
	m.hash, m.hashed = e.Hash, true
}

// name holds the system to one message ID for one request.
func (m *message) name(e *record.Event, add adder) {
	switch {
	case e.Ref == 0:
	case m.ref == 0:
		m.ref = e.Ref
	case m.ref != e.Ref:
		add(TwoNames, "%s under another message ID than before", e.Kind)
	}
}

// got takes in what receivers saw, and what the ledger holds.
func (c *checker) got(m *message, mark record.Mark, e *record.Event, add adder) {
	switch e.Kind {
	case record.Held, record.Finished:
		m.held = m.held || e.Kind == record.Held
		m.finished = m.finished || e.Kind == record.Finished
		m.name(e, add)
		if m.hashed && e.Hash != [16]byte{} && e.Hash != m.hash {
			add(WrongBody, "the ledger holds another body")
		}
	case record.Settled:
		if m.settled == 0 {
			m.settled = e.At
		}
	case record.Delivered:
		m.deliveries++
		m.name(e, add)
		if m.delivered == 0 {
			m.delivered = e.At
		}
		if e.Party != mark.Recipient {
			add(WrongReceiver, "got by mailbox %d at %s", e.Party, clock(e.At))
		}
		if m.hashed && e.Hash != m.hash {
			add(WrongBody, "got another body at %s", clock(e.At))
		}
		// A delivery that was asked for before the settlement was taken may have been under way; not for long.
		if m.settled != 0 && (e.Start > m.settled || e.At > m.settled+int64(underWay)) {
			add(Redone, "settled at %s, delivered again at %s", clock(m.settled), clock(e.At))
		}
	}
}

// underWay is how long after a settlement an answer that was on its way may still arrive.
const underWay = 5 * time.Second

// settle draws the conclusions that need all events, and counts.
func (c *checker) settle(m *message, add adder) {
	n := &c.result.Counts
	acked, reached := m.acks > 0, m.deliveries > 0
	inLedger := m.held || m.finished
	switch {
	case acked:
		n.Acknowledged++
		if m.duplicate {
			n.Duplicates++
		}
		if !c.sends.add(m.start, m.acked) {
			add(Late, "acknowledged at %s, outside any run: is a clock wrong?", clock(m.acked))
		}
	case m.ambiguous > 0:
		n.Ambiguous++
	case m.refused > 0:
		n.Refused++
		if reached || inLedger {
			add(Refusal, "refused, yet delivered or held")
		}
	case reached:
		n.Unrecorded++
	}
	if reached {
		n.Delivered++
		n.Redelivered += int64(m.deliveries - 1)
		if m.start != 0 {
			c.deliver.Add(time.Duration(m.delivered - m.start))
		}
		if m.acked != 0 && c.late > 0 && m.delivered > m.acked+int64(c.late) {
			add(Late, "acknowledged at %s, delivered at %s, more than %s later", clock(m.acked), clock(m.delivered), c.late)
		}
	}
	if m.settled != 0 {
		n.Settled++
	}
	switch {
	case !acked:
	case !reached && c.ledger && m.held:
		n.Pending++
	case !reached && c.ledger && m.finished:
		// Nobody but a recorded receiver may settle it.
		add(Lost, "acknowledged at %s, settled in the ledger, and no receiver got it", clock(m.acked))
	case !reached:
		add(Lost, "acknowledged at %s, never delivered", clock(m.acked))
	case c.ledger && !inLedger:
		add(NotInLedger, "acknowledged at %s, delivered, unknown to the ledger", clock(m.acked))
	}
}

func clock(at int64) string { return time.Unix(0, at).UTC().Format("15:04:05.000000") }
