// SPDX-License-Identifier: Apache-2.0

package kit

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Phase is one named part of a reconcile. It returns after how long it wants to be run
// again (zero: it does not care) and its error.
type Phase struct {
	// Name in errors.
	Name string
	// Run does the phase's work.
	Run func(context.Context) (time.Duration, error)
}

// RunAll runs independent phases: each runs whatever the others do. It returns the
// shortest time asked for and all errors.
func RunAll(ctx context.Context, phases ...Phase) (time.Duration, error) {
	var after time.Duration
	var errs []error
	for _, p := range phases {
		a, err := p.run(ctx)
		after, errs = Sooner(after, a), append(errs, err)
	}
	return after, errors.Join(errs...)
}

// RunOrdered runs phases that build on each other: the first failure ends it.
func RunOrdered(ctx context.Context, phases ...Phase) (time.Duration, error) {
	var after time.Duration
	for _, p := range phases {
		a, err := p.run(ctx)
		after = Sooner(after, a)
		if err != nil {
			return after, err
		}
	}
	return after, nil
}

func (p Phase) run(ctx context.Context) (time.Duration, error) {
	after, err := p.Run(ctx)
	if err != nil {
		return after, fmt.Errorf("%s: %w", p.Name, err)
	}
	return after, nil
}

// Sooner returns the shorter of two times of which zero means never.
func Sooner(a, b time.Duration) time.Duration {
	switch {
	case a == 0:
		return b
	case b == 0:
		return a
	}
	return min(a, b)
}
