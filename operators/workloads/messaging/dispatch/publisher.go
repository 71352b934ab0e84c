// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

const (
	// spacing is the least time between two broker messages to one lane: its references travel in batches, an idle
	// lane's first one at once. Each message costs the broker's three nodes some 2 ms together, whatever it carries.
	spacing = 100 * time.Millisecond
	// busySpacing is that of a lane with busyRate references a second or more: its receivers take batches, of which
	// they find 120 messages or more each time.
	busySpacing = 400 * time.Millisecond
	busyRate    = 300
	// maxPending bounds the references held in memory; above it they are forgotten and read from the ledger later.
	maxPending = 400_000
	// maxOutstanding bounds the broker messages that wait for their confirmation.
	maxOutstanding = 256
)

// Publisher publishes references with confirmations, for as long as Run runs.
type Publisher struct {
	source Source
	queues *Queues
	log    *slog.Logger
	// missing is told of lanes whose queue was not there: all that is unsettled in them must be published again, but
	// for the numbers given, which are on their way.
	missing func(lane string, onTheirWay []message.Seq)

	mu    sync.Mutex
	lanes map[string]*lane
	dirty []*lane
	// sending are the batches that wait for their confirmation; refs counts theirs and those of the lanes.
	sending []*sent
	refs    int
	// behind is the lowest number forgotten since the last call of Behind; 0 when there is none.
	behind message.Seq
	kick   chan struct{}

	connected atomic.Bool
	published atomic.Int64
}

type lane struct {
	name    string
	refs    []message.Seq
	waiters []chan<- error
	last    time.Time
	spacing time.Duration
	dirty   bool
}

// spacingAfter is how long a lane waits after a batch of n that took since to gather.
func spacingAfter(n int, since time.Duration) time.Duration {
	if float64(n) >= busyRate*since.Seconds() && since >= spacing {
		return busySpacing
	}
	return spacing
}

type sent struct {
	lane    *lane
	at      time.Time
	refs    []message.Seq
	waiters []chan<- error
}

// NewPublisher makes a publisher; missing may be called from Run at any time and must not block.
func NewPublisher(source Source, queues *Queues, log *slog.Logger, missing func(lane string, onTheirWay []message.Seq)) *Publisher {
	return &Publisher{source: source, queues: queues, log: log, missing: missing, lanes: map[string]*lane{}, kick: make(chan struct{}, 1)}
}

// Add gives references on; it never blocks.
func (p *Publisher) Add(name string, seqs ...message.Seq) { p.add(name, seqs, nil) }

// Deliver gives references on and waits until the broker has confirmed them.
func (p *Publisher) Deliver(ctx context.Context, name string, seqs ...message.Seq) error {
	done := make(chan error, 1)
	p.add(name, seqs, done)
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ErrForgotten: too many references waited for the broker; they stay in the ledger.
var ErrForgotten = errors.New("too many references wait for the broker")

func (p *Publisher) add(name string, seqs []message.Seq, done chan<- error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refs+len(seqs) > maxPending {
		p.forget(seqs)
		if done != nil {
			done <- ErrForgotten
		}
		return
	}
	l := p.lanes[name]
	if l == nil {
		l = &lane{name: name}
		p.lanes[name] = l
	}
	l.refs = append(l.refs, seqs...)
	p.refs += len(seqs)
	if done != nil {
		l.waiters = append(l.waiters, done)
	}
	if !l.dirty {
		l.dirty = true
		p.dirty = append(p.dirty, l)
	}
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

func (p *Publisher) forget(seqs []message.Seq) {
	for _, s := range seqs {
		if p.behind == 0 || s < p.behind {
			p.behind = s
		}
	}
}

// Oldest is the lowest number that is not confirmed by the broker; 0 when all are.
func (p *Publisher) Oldest() message.Seq {
	p.mu.Lock()
	defer p.mu.Unlock()
	oldest := p.behind
	lower := func(seqs []message.Seq) {
		for _, s := range seqs {
			if oldest == 0 || s < oldest {
				oldest = s
			}
		}
	}
	for _, l := range p.lanes {
		lower(l.refs)
	}
	for _, out := range p.sending {
		lower(out.refs)
	}
	return oldest
}

// Behind returns the lowest number that was forgotten, and forgets that too: the caller now reads the ledger from it.
func (p *Publisher) Behind() message.Seq {
	p.mu.Lock()
	defer p.mu.Unlock()
	behind := p.behind
	p.behind = 0
	return behind
}

// Fell undoes Behind: reading the ledger did not get through.
func (p *Publisher) Fell(behind message.Seq) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget([]message.Seq{behind})
}

// Pending is the number of references that wait for the broker.
func (p *Publisher) Pending() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refs
}

// Connected says whether the broker is there.
func (p *Publisher) Connected() bool { return p.connected.Load() }

// Published counts confirmed references.
func (p *Publisher) Published() int64 { return p.published.Load() }

// Run publishes until ctx ends.
func (p *Publisher) Run(ctx context.Context) {
	keepUp(ctx, p.source, "message-gateway-publisher", p.log, p.session)
}

// session publishes over one connection.
func (p *Publisher) session(ctx context.Context, conn *connection) error {
	channel, err := conn.Channel()
	if err != nil {
		return err
	}
	if err := channel.Confirm(false); err != nil {
		return err
	}
	s := &session{
		publisher: p, conn: conn, channel: channel, known: map[string]bool{}, outstanding: map[uint64]*sent{},
		confirms: channel.NotifyPublish(make(chan amqp.Confirmation, 2*maxOutstanding)),
		returns:  channel.NotifyReturn(make(chan amqp.Return, 2*maxOutstanding)),
		closed:   channel.NotifyClose(make(chan *amqp.Error, 1)),
	}
	p.connected.Store(true)
	defer p.connected.Store(false)
	defer s.takeBack()
	p.log.Info("broker connected")
	tick := time.NewTicker(spacing / 5)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-s.closed:
			return orClosed(err)
		case r, open := <-s.returns:
			s.returned(r, open)
		case c, open := <-s.confirms:
			s.confirmed(c, open)
		case <-p.kick:
			err = s.flush(time.Now())
		case now := <-tick.C:
			if err = s.silent(now); err == nil {
				err = s.flush(now)
			}
		}
		if err != nil {
			return err
		}
	}
}

func orClosed(err *amqp.Error) error {
	if err == nil {
		return amqp.ErrClosed
	}
	return err
}
