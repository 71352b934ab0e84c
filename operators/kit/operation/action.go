// SPDX-License-Identifier: Apache-2.0

// Package operation runs operations: plan, blockers, approval, steps, evidence. Every kind
// of operation goes through it, dry runs and real runs alike; what differs is the Action.
package operation

import (
	"context"
	"fmt"
	"time"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// Action is what one operation does. Its methods are called in any order after a restart
// of the operator, so it keeps nothing in memory; steps keep what they need in Memo.
type Action interface {
	// Plan reads everything that the plan rests on and decides. It changes nothing. An error
	// means that something could not be read; the operation is then blocked as StateUnknown.
	Plan(ctx context.Context) (Planned, error)
	// Before says what holds a step back now, just before its act: quorum counted anew, for
	// example. The engine waits while there are blockers, within the step's timeout. For a
	// step whose act was cut off, what that act itself did is no blocker.
	Before(ctx context.Context, step Step) ([]api.Blocker, error)
	// Act begins a step. It returns what Check has to know. The engine has recorded the step as
	// Running before, and calls Act again after a crash only when the step is repeatable.
	Act(ctx context.Context, step Step) (memo string, err error)
	// Check says how far a step is. It is polled until Done. For a step that is not repeatable
	// and was cut off within Act, it must tell from the world whether the act took effect.
	Check(ctx context.Context, step Step) (Progress, error)
	// Verify says, after the last step, whether the service is whole: the deep probe is green
	// and the backlog is back to what it was. It is polled until Done. Each call gets the
	// evidence as it was after the last step, and what the last call leaves in it is kept.
	Verify(ctx context.Context, started time.Time, evidence *api.Evidence) (Progress, error)
}

// Planned is what an Action decided.
type Planned struct {
	// Plan with Summary, Steps, Inputs, PointOfNoReturn and PredictedLoss; the engine fills the rest.
	Plan api.Plan
	// Blockers of safety and of the target, found while planning.
	Blockers []api.Blocker
	// Resources that no other operation may act on meanwhile, as lease names: "service-spine",
	// "host-a". At least one, sorted.
	Resources []string
	// Disruptive operations wait for the change window, for their turn in the site, and until
	// their target has rested from the last operation.
	Disruptive bool
	// Backlog before: acknowledged, unprocessed work. Nil when the target has none.
	Backlog *int64
}

// Step is one planned step while it is carried out.
type Step struct {
	api.PlannedStep
	// Memo is what Act returned. Empty before, and after an Act that was cut off.
	Memo string
	// Token is the fencing token that its act carries.
	Token int64
	// StartedAt is when its act was first begun.
	StartedAt time.Time
}

// Progress of a step, or of the verification.
type Progress struct {
	// Done ends it.
	Done bool
	// Message for people: what it waits for, or what it did.
	Message string
	// NotActed says that the act of a step that was cut off took no effect, so that it may begin.
	NotActed bool
}

// FailedError ends an operation: no retry would help, or it would do harm. Any other error
// of an Action is tried again until the step's timeout.
type FailedError struct {
	// Message for people: what failed, and what to do.
	Message string
}

func (e *FailedError) Error() string { return e.Message }

// Failed makes a FailedError.
func Failed(format string, args ...any) error {
	return &FailedError{Message: fmt.Sprintf(format, args...)}
}
