// SPDX-License-Identifier: Apache-2.0

package operation

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit/lease"
)

// rules are the engine's judgements, each a small function. They are values, so that the
// simulation can show that its invariants notice when one of them is wrong.
type rules struct {
	// next says what to do now with an operation that runs.
	next func(*api.OperationSpec, *api.OperationStatus) (move, int)
	// held keeps those blockers that hold a step back.
	held func([]api.Blocker) []api.Blocker
	// overdue says that something has taken longer than it may.
	overdue func(since *metav1.Time, limit time.Duration, now time.Time) bool
	// agreed says that the plan is the one that the requester agreed to.
	agreed func(asked, made string) bool
	// approved finds the approval to use, or says what is missing.
	approved func([]api.Approval, approvalOf, time.Time) (*api.Approval, *api.Blocker)
	// waive splits blockers into those that are left and those that were waived.
	waive func([]api.Blocker, *api.BreakGlass) (left, waived []api.Blocker)
	// resources that the leases are taken of.
	resources func(Planned) []string
	// holds fails with a *lease.LostError unless all leases are held with the token.
	holds func(context.Context, *lease.Leases, []client.ObjectKey, lease.Holder, int64) error
	// expired says that a real run has waited too long for its beginning.
	expired func(left []api.Blocker, asked, now time.Time) bool
}

func soundRules() rules {
	return rules{
		next: next, held: func(b []api.Blocker) []api.Blocker { return b }, overdue: overdue,
		agreed: func(asked, made string) bool { return asked == made }, approved: approved, waive: waive,
		resources: resources, expired: expired,
		holds: func(ctx context.Context, l *lease.Leases, keys []client.ObjectKey, me lease.Holder, token int64) error {
			return l.Holds(ctx, keys, me, token)
		},
	}
}

// move is what to do with an operation that runs.
type move string

const (
	// moveBegin: nothing of the step was done, or doing it again does no harm.
	moveBegin move = "Begin"
	// moveResolve: the act was cut off and must not be repeated; Check tells whether it took effect.
	moveResolve move = "Resolve"
	// moveCheck: the act returned; Check tells how far the step is.
	moveCheck move = "Check"
	// moveVerify: all steps are done; is the whole well?
	moveVerify move = "Verify"
	// moveAbort: a person wants it to end, and it still may.
	moveAbort move = "Abort"
)

// next says what to do now, and with which step.
func next(spec *api.OperationSpec, status *api.OperationStatus) (move, int) {
	for i, s := range status.Steps {
		switch {
		case s.State == api.StepSucceeded:
			continue
		case spec.Abort && abortable(status.Plan, i) && (s.State != api.StepRunning || status.Plan.Steps[i].Interruptible):
			return moveAbort, i
		case s.State != api.StepRunning:
			return moveBegin, i
		case s.Acted:
			return moveCheck, i
		case status.Plan.Steps[i].Repeatable:
			return moveBegin, i
		default:
			return moveResolve, i
		}
	}
	return moveVerify, len(status.Steps)
}

// abortable says that an operation may still end before step i: the point of no return has
// not begun.
func abortable(plan *api.Plan, i int) bool {
	for _, s := range plan.Steps[:i] {
		if s.Name == plan.PointOfNoReturn {
			return false
		}
	}
	return true
}

func overdue(since *metav1.Time, limit time.Duration, now time.Time) bool {
	return since != nil && now.Sub(since.Time) > limit
}

// waive lets break-glass do away with what is waivable: never with safety.
func waive(blockers []api.Blocker, glass *api.BreakGlass) (left, waived []api.Blocker) {
	for _, b := range blockers {
		if glass != nil && b.Waivable {
			waived = append(waived, b)
		} else {
			left = append(left, b)
		}
	}
	return left, waived
}

const (
	// waitSafety is how long a real run may wait until it is safe, waitPeople until a person has
	// approved or the window is open: nobody expects it any more after that.
	waitSafety = time.Hour
	waitPeople = 24 * time.Hour
)

func expired(left []api.Blocker, asked, now time.Time) bool {
	limit := waitPeople
	for _, b := range left {
		if !b.Waivable {
			limit = waitSafety
		}
	}
	return now.Sub(asked) > limit
}
