// SPDX-License-Identifier: Apache-2.0

package kit

import (
	"cmp"
	"sync"
	"time"

	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Event is something that happened to an object, told to people once.
type Event struct {
	// Object that it happened to.
	Object client.Object
	// Type is Normal or Warning.
	Type string
	// Reason in one word, Message in a sentence.
	Reason, Message string
	// Topic is what makes two events of one reason the same, for messages that hold numbers
	// which always differ. Empty means the message.
	Topic string
}

// Events publishes events and leaves out those that it told within the last five minutes.
// It is safe for concurrent use.
type Events struct {
	recorder record.EventRecorder
	now      func() time.Time
	mu       sync.Mutex
	told     map[string]time.Time
}

const retell = 5 * time.Minute

// NewEvents returns Events that go to recorder.
func NewEvents(recorder record.EventRecorder, now func() time.Time) *Events {
	return &Events{recorder: recorder, now: now, told: map[string]time.Time{}}
}

// Publish tells the event, unless the same was told to the same object lately.
func (e *Events) Publish(events ...Event) {
	for _, event := range events {
		if e.fresh(event) {
			e.recorder.Event(event.Object, event.Type, event.Reason, event.Message)
		}
	}
}

func (e *Events) fresh(event Event) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	for key, at := range e.told {
		if now.Sub(at) > retell {
			delete(e.told, key)
		}
	}
	key := event.Reason + "\x00" + cmp.Or(event.Topic, event.Message) + "\x00" + string(event.Object.GetUID())
	if _, known := e.told[key]; known {
		return false
	}
	e.told[key] = now
	return true
}
