// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"context"
	"fmt"
	"strconv"
	"time"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/recovery"
	"spine.nhs.uk/controlplane/operators/kit/operation"
	"spine.nhs.uk/controlplane/operators/ports"
)

// replay is the action ReplayDeadLetters.
type replay struct{ onService }

func newReplay(r *Reconciler, o *api.ServiceRecovery) operation.Action {
	a := &replay{onService{Reconciler: r, operation: o}}
	a.decide = func(ctx context.Context, l *look) (recovery.Decision, error) {
		return recovery.PlanReplay(supplierFacts(o, l)), nil
	}
	a.added = func() int64 { n, _ := a.put(); return n }
	a.notes = func() []string {
		n, whole := a.put()
		if whole {
			return []string{fmt.Sprintf("%d dead letters of supplier %s were put back on their way", n, o.Spec.Supplier)}
		}
		return []string{fmt.Sprintf("at least %d dead letters of supplier %s were put back on their way; the step was cut off and begun again, and what it had put back before is not in this number", n, o.Spec.Supplier)}
	}
	return a
}

// put is how many were put back; not the whole number when the step was begun more than once.
func (a *replay) put() (int64, bool) {
	for _, s := range a.operation.Status.Steps {
		if n, err := strconv.ParseInt(s.Memo, 10, 64); err == nil {
			return n, s.Acts <= 1
		}
	}
	return 0, false
}

// patience with one batch, which is one statement in the ledger.
const patience = time.Minute

// Act implements operation.Action: it puts back, in batches, what was a dead letter when
// the step first began. Each is looked at once, in the order of their IDs: what fails again
// meanwhile stays a dead letter.
func (a *replay) Act(ctx context.Context, step operation.Step) (string, error) {
	l, err := a.look(ctx)
	if err != nil {
		return "", err
	}
	for put, after := 0, ""; ; {
		found, err := a.list(ctx, l, after)
		if err != nil {
			return "", err
		}
		if len(found) == 0 {
			return strconv.Itoa(put), nil
		}
		var ids []string
		for _, d := range found {
			// The step's time is in whole seconds.
			if d.At.Before(step.StartedAt.Add(time.Second)) {
				ids = append(ids, d.ID)
			}
		}
		if len(ids) > 0 {
			n, err := a.revive(ctx, l, ids)
			if err != nil {
				return "", err
			}
			put += n
		}
		last := found[len(found)-1].ID
		if last == after {
			return "", fmt.Errorf("the list of dead letters does not go on after %s", after)
		}
		after = last
	}
}

func (a *replay) list(ctx context.Context, l *look, after string) ([]ports.DeadLetter, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return a.DeadLetters.ListDead(ctx, l.ops, a.operation.Spec.Supplier, after)
}

func (a *replay) revive(ctx context.Context, l *look, ids []string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return a.DeadLetters.ReplayDead(ctx, l.ops, a.operation.Spec.Supplier, ids)
}

// Check implements operation.Action: an act that returned has seen all of them.
func (a *replay) Check(_ context.Context, step operation.Step) (operation.Progress, error) {
	return operation.Progress{Done: step.Memo != "", Message: step.Memo + " dead letters were put back"}, nil
}
