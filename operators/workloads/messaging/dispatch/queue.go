// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"errors"
	"fmt"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// answerWithin is how long the broker has to answer about a queue, or to confirm what was published to it. A node that
// was killed soon after a queue was declared comes back with a queue that never answers; such a queue is deleted and
// filled again from the ledger.
const answerWithin = 15 * time.Second

// errNoAnswer: the broker lives, the queue does not answer.
var errNoAnswer = errors.New("the queue does not answer; it is made anew and filled from the ledger")

// Queues declares queues, and remembers those that did not answer. A publisher and its consumers share one.
type Queues struct {
	mu      sync.Mutex
	suspect map[string]bool
}

// NewQueues makes it.
func NewQueues() *Queues { return &Queues{suspect: map[string]bool{}} }

func (q *Queues) doubt(lane string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.suspect[lane] = true
}

func (q *Queues) doubted(lane string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.suspect[lane]
}

func (q *Queues) clear(lane string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.suspect, lane)
}

// ensure declares a lane's queue and says whether it was missing, and how many messages and consumers it has. When it
// does not answer, the connection is closed and the next ensure makes it anew.
func (q *Queues) ensure(conn *connection, lane string) (missing bool, state amqp.Queue, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if q.doubted(lane) {
			if err = remove(conn, lane); err != nil {
				return
			}
			q.clear(lane)
		}
		missing, state, err = declare(conn, lane)
	}()
	select {
	case <-done:
	case <-time.After(answerWithin):
		q.doubt(lane)
		// This also ends the call that waits.
		conn.hangUp()
		<-done
		return false, amqp.Queue{}, fmt.Errorf("%w: %s", errNoAnswer, Queue(lane))
	}
	var refused *amqp.Error
	if errors.As(err, &refused) && refused.Code == amqp.InternalError {
		q.doubt(lane)
	}
	return missing, state, err
}

func declare(conn *connection, lane string) (missing bool, state amqp.Queue, err error) {
	channel, err := conn.Channel()
	if err != nil {
		return false, state, err
	}
	defer channel.Close() //nolint:errcheck // a refused check has closed it already
	state, err = channel.QueueDeclarePassive(Queue(lane), true, false, false, false, nil)
	if err == nil {
		return false, state, nil
	}
	var refused *amqp.Error
	if !errors.As(err, &refused) || refused.Code != amqp.NotFound {
		return false, state, err
	}
	again, err := conn.Channel()
	if err != nil {
		return false, state, err
	}
	defer again.Close() //nolint:errcheck // as above
	state, err = again.QueueDeclare(Queue(lane), true, false, false, false, arguments(lane))
	return true, state, err
}

func remove(conn *connection, lane string) error {
	channel, err := conn.Channel()
	if err != nil {
		return err
	}
	defer channel.Close() //nolint:errcheck // as above
	_, err = channel.QueueDelete(Queue(lane), false, false, false)
	return err
}
