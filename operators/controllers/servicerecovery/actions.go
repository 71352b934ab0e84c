// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"context"
	"fmt"
	"time"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit/operation"
)

// Constructor makes what one operation does. It is called anew in each reconcile, with the
// operation as it was read then, and reads nothing by itself.
type Constructor func(r *Reconciler, o *api.ServiceRecovery) operation.Action

// Actions of ServiceRecovery that the manager can carry out.
func Actions() map[api.Action]Constructor {
	return map[api.Action]Constructor{
		api.ActionRestartRolling:     newRestart,
		api.ActionRebuildBroker:      newRebuildBroker,
		api.ActionRebuildReplica:     newRebuildReplica,
		api.ActionReplayDeadLetters:  newReplay,
		api.ActionQuarantineSupplier: newQuarantine,
		api.ActionReleaseSupplier:    newRelease,
		api.ActionScaleOut:           newScale,
		api.ActionCompareSites:       newCompare,
		api.ActionResyncStandby:      newResync,
		api.ActionRestoreDatabase:    newRestore,
		api.ActionDrainHost:          newDrain,
		api.ActionReturnHost:         newReturn,
		api.ActionFenceHost:          newFence,
	}
}

// action that an operation asks for.
func (r *Reconciler) action(o *api.ServiceRecovery) operation.Action {
	if construct, ok := r.Actions[o.Spec.Action]; ok {
		return construct(r, o)
	}
	return foreign{o.Spec.Action}
}

// foreign is an action that this manager does not know: another version's.
type foreign struct{ name api.Action }

func (f foreign) error() error {
	return fmt.Errorf("this manager does not know the action %s: run one that does", f.name)
}

// Plan implements operation.Action.
func (f foreign) Plan(context.Context) (operation.Planned, error) {
	return operation.Planned{Blockers: []api.Blocker{{Reason: api.ReasonNotApplicable, Message: f.error().Error()}}}, nil
}

// Before implements operation.Action.
func (f foreign) Before(context.Context, operation.Step) ([]api.Blocker, error) {
	return nil, f.error()
}

// Act implements operation.Action.
func (f foreign) Act(context.Context, operation.Step) (string, error) { return "", f.error() }

// Check implements operation.Action.
func (f foreign) Check(context.Context, operation.Step) (operation.Progress, error) {
	return operation.Progress{}, f.error()
}

// Verify implements operation.Action.
func (f foreign) Verify(context.Context, time.Time, *api.Evidence) (operation.Progress, error) {
	return operation.Progress{}, f.error()
}
