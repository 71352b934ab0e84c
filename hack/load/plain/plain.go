// SPDX-License-Identifier: Apache-2.0

// Package plain is a plain AMQP client, to compare the gateway with: it publishes to a quorum queue of the same broker
// and waits for one confirm per message, as a simple client does. A consumer keeps the queue short.
package plain

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"golang.org/x/sync/errgroup"

	"spine.nhs.uk/controlplane/hack/load/arrival"
	"spine.nhs.uk/controlplane/hack/load/messages"
	"spine.nhs.uk/controlplane/hack/load/record"
	"spine.nhs.uk/controlplane/hack/load/stats"
)

// Options of a run.
type Options struct {
	// URL of the broker, amqp:// or amqps://, with user and password.
	URL string
	TLS *tls.Config
	// Queue is declared as a durable quorum queue, and deleted in the end.
	Queue string
	// Connections publish one message at a time each.
	Connections int
	// Rate is messages a second in all; 0 for as many as possible.
	Rate     float64
	Duration time.Duration
	Shape    arrival.Shape
	Payload  *messages.Payload
}

// errReturned: the broker could not route a message to the queue.
var errReturned = errors.New("the broker refused a message (nack): is the queue's quorum there?")

// Run publishes, consumes, and reports. It ends at the first failure: what is compared is a broker that is well.
func Run(ctx context.Context, o Options, meter *stats.Meter) (err error) {
	consumer, err := dial(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closed(consumer)) }()
	channel, err := consumer.Channel()
	if err != nil {
		return err
	}
	if _, err := channel.QueueDeclare(o.Queue, true, false, false, false, amqp.Table{amqp.QueueTypeArg: amqp.QueueTypeQuorum}); err != nil {
		return fmt.Errorf("declare the queue %s: %w", o.Queue, err)
	}
	defer func() {
		_, deleteErr := channel.QueueDelete(o.Queue, false, false, false)
		err = errors.Join(err, deleteErr)
	}()
	if err := consume(channel, o.Queue); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	begin := time.Now().Add(100 * time.Millisecond)
	arrivals := &shared{to: begin.Add(o.Duration)}
	if o.Rate > 0 {
		arrivals.schedule = arrival.New(o.Shape, o.Rate, begin, o.Duration, uint64(begin.Unix()))
	}
	for range o.Connections {
		group.Go(func() error { return publish(ctx, o, arrivals, meter) })
	}
	return group.Wait()
}

func dial(o Options) (*amqp.Connection, error) {
	c, err := amqp.DialConfig(o.URL, amqp.Config{TLSClientConfig: o.TLS, Heartbeat: 10 * time.Second})
	if err != nil {
		return nil, fmt.Errorf("connect to the broker: %w", err)
	}
	return c, nil
}

func closed(c *amqp.Connection) error {
	if err := c.Close(); !errors.Is(err, amqp.ErrClosed) {
		return err
	}
	return nil
}

// consume takes messages out of the queue, a hundred at a time.
func consume(channel *amqp.Channel, queue string) error {
	const batch = 100
	if err := channel.Qos(10*batch, 0, false); err != nil {
		return err
	}
	deliveries, err := channel.Consume(queue, "", false, false, false, false, nil)
	if err != nil {
		return err
	}
	go func() {
		n := 0
		for d := range deliveries {
			// A failed acknowledgement closes the channel, which ends the deliveries.
			if n++; n%batch == 0 {
				_ = d.Ack(true)
			}
		}
	}()
	return nil
}

// shared hands out the arrivals to whichever connection is free.
type shared struct {
	mu       sync.Mutex
	schedule *arrival.Schedule
	to       time.Time
	seq      uint64
}

// next is the intended start of one more message, in Unix nanoseconds; false when there are no more.
func (s *shared) next() (start int64, seq uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	if s.schedule == nil {
		now := time.Now()
		return now.UnixNano(), s.seq, now.Before(s.to)
	}
	start, ok = s.schedule.Peek()
	s.schedule.Pop()
	return start, s.seq, ok
}

// publish sends over a connection of its own, one message after the other.
func publish(ctx context.Context, o Options, arrivals *shared, meter *stats.Meter) (err error) {
	connection, err := dial(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closed(connection)) }()
	channel, err := connection.Channel()
	if err != nil {
		return err
	}
	if err := channel.Confirm(false); err != nil {
		return err
	}
	var body []byte
	for {
		start, seq, ok := arrivals.next()
		if !ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Until(time.Unix(0, start))):
		}
		body = o.Payload.Body(record.Mark{Seq: seq}, body)
		confirm, err := channel.PublishWithDeferredConfirmWithContext(ctx, "", o.Queue, true, false,
			amqp.Publishing{DeliveryMode: amqp.Persistent, Body: body})
		if err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		confirmed, err := confirm.WaitContext(ctx)
		if err != nil {
			return fmt.Errorf("wait for a confirm: %w", err)
		}
		if !confirmed {
			return errReturned
		}
		meter.Count([]record.Event{{Kind: record.Acknowledged, Start: start, At: time.Now().UnixNano()}})
	}
}
