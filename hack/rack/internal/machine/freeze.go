// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"time"
)

// freezeLimit is how long it may take until no process of a machine runs any more.
const freezeLimit = 10 * time.Second

// Freeze stops every process of the machine, as a host hangs whose kernel still answers: connections are taken, and
// nobody speaks. It keeps its power and its link.
func (m Machine) Freeze(ctx context.Context) error {
	return m.locked(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, freezeLimit)
		defer cancel()
		var stopped []int
		// Until a look finds no process that the last one did not: one that runs may start others.
		for {
			now := m.group().Processes()
			if len(now) == 0 {
				return &OffError{Host: m.Host.Name}
			}
			if slices.Equal(now, stopped) {
				return nil
			}
			m.signalAll(now, syscall.SIGSTOP)
			stopped = now
			select {
			case <-ctx.Done():
				return fmt.Errorf("host %s: its processes do not stop: %w", m.Host.Name, ctx.Err())
			case <-time.After(bootPoll):
			}
		}
	})
}

// Thaw lets a frozen machine go on as if no time had passed.
func (m Machine) Thaw(ctx context.Context) error {
	return m.locked(ctx, func() error {
		now := m.group().Processes()
		if len(now) == 0 {
			return &OffError{Host: m.Host.Name}
		}
		m.signalAll(now, syscall.SIGCONT)
		return nil
	})
}

// signalAll leaves those alone that have just ended.
func (m Machine) signalAll(pids []int, s syscall.Signal) {
	for _, pid := range pids {
		_ = syscall.Kill(pid, s)
	}
}
