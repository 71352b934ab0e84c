// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"sync"
	"time"
)

// throttleSize bounds the memory of a throttle, in names: about 10 MB. Beyond it the oldest kind of knowledge, what
// expires anyway, goes first.
const throttleSize = 100_000

// throttle counts failures by name and refuses a name for a while after too many. It is kept per replica: more replicas
// mean a few more guesses, out of 59 bits.
type throttle struct {
	mu    sync.Mutex
	names map[string]failures
}

type failures struct {
	count int
	until time.Time // when the count is forgotten
}

func newThrottle() *throttle { return &throttle{names: map[string]failures{}} }

// wait is how long name is refused from now on; zero means it may try.
func (t *throttle) wait(name string, most int, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	f, known := t.names[name]
	if !known || !now.Before(f.until) || f.count < most {
		return 0
	}
	return f.until.Sub(now)
}

// failed counts a failure; the count is forgotten lock after the last one.
func (t *throttle) failed(name string, now time.Time, lock time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.names[name]
	if !now.Before(f.until) {
		f.count = 0
	}
	if len(t.names) >= throttleSize {
		t.shrink(now)
	}
	t.names[name] = failures{count: f.count + 1, until: now.Add(lock)}
}

// succeeded forgets the failures of name.
func (t *throttle) succeeded(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.names, name)
}

// shrink drops what has expired, and when that is not a tenth, whatever the map gives first.
func (t *throttle) shrink(now time.Time) {
	for name, f := range t.names {
		if !now.Before(f.until) {
			delete(t.names, name)
		}
	}
	for name := range t.names {
		if len(t.names) < throttleSize*9/10 {
			return
		}
		delete(t.names, name)
	}
}
