// SPDX-License-Identifier: Apache-2.0

package fake

import (
	"context"
	"errors"
	"slices"
	"sync"

	"spine.nhs.uk/controlplane/operators/ports"
)

// DeadLetters keeps dead letters as a gateway would, a few at a time. The zero value has
// none. It is safe for concurrent use.
type DeadLetters struct {
	mu   sync.Mutex
	dead map[string][]ports.DeadLetter
	// Page is how many it lists at a time. 0: all.
	Page int
	// Fail makes so many of the next replays fail after they took effect.
	Fail int
}

// Put adds dead letters of a supplier; their IDs have to grow.
func (d *DeadLetters) Put(supplier string, letters ...ports.DeadLetter) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dead == nil {
		d.dead = map[string][]ports.DeadLetter{}
	}
	d.dead[supplier] = append(d.dead[supplier], letters...)
}

// Left returns those of a supplier that are there.
func (d *DeadLetters) Left(supplier string) []ports.DeadLetter {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.dead[supplier])
}

// ListDead implements ports.DeadLetters.
func (d *DeadLetters) ListDead(_ context.Context, _ ports.Target, supplier, after string) ([]ports.DeadLetter, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []ports.DeadLetter
	for _, l := range d.dead[supplier] {
		if l.ID > after && (d.Page == 0 || len(out) < d.Page) {
			out = append(out, l)
		}
	}
	return out, nil
}

// ReplayDead implements ports.DeadLetters.
func (d *DeadLetters) ReplayDead(_ context.Context, t ports.Target, supplier string, ids []string) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := len(d.dead[supplier])
	d.dead[supplier] = slices.DeleteFunc(d.dead[supplier], func(l ports.DeadLetter) bool { return slices.Contains(ids, l.ID) })
	if d.Fail > 0 {
		d.Fail--
		return 0, &ports.UnreachableError{Target: t, Err: errors.New("cut off")}
	}
	return before - len(d.dead[supplier]), nil
}
