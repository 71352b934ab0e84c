// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"slices"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// session is what a publisher knows about one connection; only its goroutine uses it.
type session struct {
	publisher *Publisher
	conn      *connection
	channel   *amqp.Channel
	// known are the lanes whose queues were seen over this connection.
	known       map[string]bool
	outstanding map[uint64]*sent
	confirms    chan amqp.Confirmation
	returns     chan amqp.Return
	closed      chan *amqp.Error
	// unroutable are the tags of what came back before its confirmation.
	unroutable []uint64
}

// flush publishes what is due, batch by batch.
func (s *session) flush(now time.Time) error {
	p := s.publisher
	p.mu.Lock()
	var due []*lane
	p.dirty = slices.DeleteFunc(p.dirty, func(l *lane) bool {
		if len(due)+len(s.outstanding) >= maxOutstanding || (now.Sub(l.last) < l.spacing && len(l.refs) < maxBatch) {
			return false
		}
		l.dirty = false
		due = append(due, l)
		return true
	})
	p.mu.Unlock()
	for _, l := range due {
		if err := s.send(l, now); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) send(l *lane, now time.Time) error {
	p := s.publisher
	if !s.known[l.name] {
		missing, _, err := p.queues.ensure(s.conn, l.name)
		if err != nil {
			s.keep(l)
			return err
		}
		s.known[l.name] = true
		if missing {
			p.mu.Lock()
			onTheirWay := slices.Clone(l.refs)
			p.mu.Unlock()
			p.missing(l.name, onTheirWay)
		}
	}
	p.mu.Lock()
	n := min(len(l.refs), maxBatch)
	if n == 0 {
		p.mu.Unlock()
		return nil
	}
	out := &sent{lane: l, at: now, refs: slices.Clone(l.refs[:n])}
	if n == len(l.refs) {
		out.waiters, l.waiters = l.waiters, nil
	}
	tag := s.channel.GetNextPublishSeqNo()
	s.outstanding[tag] = out
	p.mu.Unlock()
	l.spacing = spacingAfter(n, now.Sub(l.last))
	l.last = now
	err := s.channel.Publish("", Queue(l.name), true, false, amqp.Publishing{
		DeliveryMode: amqp.Persistent, MessageId: strconv.FormatUint(tag, 36), Body: encode(out.refs),
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		// Nothing has left the lane yet but its waiters: back with them.
		l.waiters = append(l.waiters, out.waiters...)
		delete(s.outstanding, tag)
		p.mark(l)
		return err
	}
	// The references leave the lane only now, so that Oldest always sees them in one place or the other.
	l.refs = l.refs[n:]
	p.sending = append(p.sending, out)
	if len(l.refs) > 0 {
		p.mark(l)
	} else {
		l.refs = nil
	}
	return nil
}

// mark puts a lane back on the list; the caller holds the lock.
func (p *Publisher) mark(l *lane) {
	if !l.dirty {
		l.dirty = true
		p.dirty = append(p.dirty, l)
	}
}

func (s *session) keep(l *lane) {
	s.publisher.mu.Lock()
	defer s.publisher.mu.Unlock()
	s.publisher.mark(l)
}

// returned notes that no queue took a message: it goes again after the queue was looked for, when its confirmation has
// followed. The library closes what it listens to with the channel, and why that was closed is about to be told.
func (s *session) returned(r amqp.Return, open bool) {
	if !open {
		s.returns = nil
		return
	}
	delete(s.known, laneOf(r.RoutingKey))
	if tag, err := strconv.ParseUint(r.MessageId, 36, 64); err == nil {
		s.unroutable = append(s.unroutable, tag)
	}
}

func (s *session) confirmed(c amqp.Confirmation, open bool) {
	if !open {
		s.confirms = nil
		return
	}
	// Returns travel before their confirmations, but on another channel of the library.
	for more := true; more; {
		select {
		case r, open := <-s.returns:
			s.returned(r, open)
		default:
			more = false
		}
	}
	out := s.outstanding[c.DeliveryTag]
	if out == nil {
		return
	}
	delete(s.outstanding, c.DeliveryTag)
	lost := !c.Ack
	if at := slices.Index(s.unroutable, c.DeliveryTag); at >= 0 {
		s.unroutable = slices.Delete(s.unroutable, at, at+1)
		lost = true
	}
	s.publisher.finish(out, lost)
}

// finish takes a batch off what is being sent: done, or back into its lane.
func (p *Publisher) finish(out *sent, lost bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sending = slices.DeleteFunc(p.sending, func(o *sent) bool { return o == out })
	if lost {
		out.lane.refs = append(out.refs, out.lane.refs...)
		out.lane.waiters = append(out.lane.waiters, out.waiters...)
		p.mark(out.lane)
		return
	}
	p.refs -= len(out.refs)
	p.published.Add(int64(len(out.refs)))
	for _, w := range out.waiters {
		w <- nil
	}
}

// silent is an error when a queue has not confirmed in time.
func (s *session) silent(now time.Time) error {
	for _, out := range s.outstanding {
		if now.Sub(out.at) > answerWithin {
			s.publisher.queues.doubt(out.lane.name)
			return errNoAnswer
		}
	}
	return nil
}

// takeBack puts what was not confirmed over this connection back into its lanes: the broker may have it or not.
func (s *session) takeBack() {
	for _, out := range s.outstanding {
		s.publisher.finish(out, true)
	}
}

func laneOf(queue string) string { return strings.TrimPrefix(queue, "spine/") }
