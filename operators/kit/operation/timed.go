// SPDX-License-Identifier: Apache-2.0

package operation

import (
	"context"
	"time"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// callTime is how long one call of an action may take: one that hangs must not keep other
// operations from going on.
const callTime = 2 * time.Minute

// timed is an action whose calls end. One that was cut off counts as failed: an Act, as one
// of which it is not known whether it took effect.
type timed struct{ Action }

// Plan implements Action.
func (t timed) Plan(ctx context.Context) (Planned, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return t.Action.Plan(ctx)
}

// Before implements Action.
func (t timed) Before(ctx context.Context, step Step) ([]api.Blocker, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return t.Action.Before(ctx, step)
}

// Act implements Action.
func (t timed) Act(ctx context.Context, step Step) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return t.Action.Act(ctx, step)
}

// Check implements Action.
func (t timed) Check(ctx context.Context, step Step) (Progress, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return t.Action.Check(ctx, step)
}

// Verify implements Action.
func (t timed) Verify(ctx context.Context, started time.Time, evidence *api.Evidence) (Progress, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return t.Action.Verify(ctx, started, evidence)
}
