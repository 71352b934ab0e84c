// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// prefetch is the number of broker messages (batches of references) that one lane's consumer holds unacknowledged.
const prefetch = 8

// Batch is references as they came. Done must be called once when all of them are settled, rejected or known to be
// settled elsewhere; until then the broker gives them to another replica if this one dies.
type Batch struct {
	Refs []message.Seq
	done func()
}

// Done acknowledges the batch to the broker.
func (b *Batch) Done() {
	if b.done != nil {
		b.done()
	}
}

// Consumers holds the connection over which this replica's lanes are consumed.
type Consumers struct {
	source Source
	queues *Queues
	log    *slog.Logger

	mu   sync.Mutex
	conn *connection
	// changed is closed and replaced when conn changes.
	changed   chan struct{}
	connected atomic.Bool
}

// NewConsumers makes it; Run connects.
func NewConsumers(source Source, queues *Queues, log *slog.Logger) *Consumers {
	return &Consumers{source: source, queues: queues, log: log, changed: make(chan struct{})}
}

// Connected says whether the broker is there.
func (c *Consumers) Connected() bool { return c.connected.Load() }

// Run keeps the connection until ctx ends.
func (c *Consumers) Run(ctx context.Context) {
	keepUp(ctx, c.source, "message-gateway-consumer", c.log, func(ctx context.Context, conn *connection) error {
		closed := conn.NotifyClose(make(chan *amqp.Error, 1))
		c.set(conn)
		defer c.set(nil)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-closed:
			return orClosed(err)
		}
	})
}

func (c *Consumers) set(conn *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = conn
	c.connected.Store(conn != nil)
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *Consumers) current() (*connection, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn, c.changed
}

// Check looks at a lane's queue, and makes it if it is missing.
func (c *Consumers) Check(lane string) (missing bool, ready, consumers int, err error) {
	conn, _ := c.current()
	if conn == nil {
		return false, 0, 0, amqp.ErrClosed
	}
	missing, state, err := c.queues.ensure(conn, lane)
	return missing, state.Messages, state.Consumers, err
}

// Consume gives a lane's batches to take until ctx ends, over as many connections as that takes. The queue is made when
// it is missing, and missing is told. lost is called whenever batches that are not Done will come again.
func (c *Consumers) Consume(ctx context.Context, lane string, missing func(), take func(*Batch), lost func()) {
	for ctx.Err() == nil {
		conn, changed := c.current()
		if conn != nil {
			err := c.consume(ctx, conn, lane, missing, take)
			lost()
			if ctx.Err() == nil {
				c.log.Warn("consuming was cut; references come again", "lane", lane, "error", err)
			}
			if !conn.IsClosed() && ctx.Err() == nil {
				// The channel alone was closed, for example because the queue was deleted: look for it again.
				if !pause(ctx, retryAfter) {
					return
				}
				continue
			}
		}
		select {
		case <-ctx.Done():
		case <-changed:
		}
	}
}

func (c *Consumers) consume(ctx context.Context, conn *connection, lane string, missing func(), take func(*Batch)) error {
	absent, _, err := c.queues.ensure(conn, lane)
	if err != nil {
		return err
	}
	if absent {
		missing()
	}
	channel, err := conn.Channel()
	if err != nil {
		return err
	}
	defer channel.Close() //nolint:errcheck // the broker gives back what was not acknowledged
	if err := channel.Qos(prefetch, 0, false); err != nil {
		return err
	}
	closed := channel.NotifyClose(make(chan *amqp.Error, 1))
	// A queue that does not answer would hold up the call for ever, and this connection with it.
	unanswered := time.AfterFunc(answerWithin, func() {
		c.queues.doubt(lane)
		conn.hangUp()
	})
	deliveries, err := channel.Consume(Queue(lane), "", false, false, false, false, nil)
	unanswered.Stop()
	if err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-closed:
			return orClosed(err)
		case d, ok := <-deliveries:
			if !ok {
				return fmt.Errorf("the broker cancelled the consumer of %s", Queue(lane))
			}
			take(&Batch{Refs: decode(d.Body), done: func() {
				// When the channel is gone the batch comes again, and the ledger knows that it is settled.
				_ = d.Ack(false)
			}})
		}
	}
}
