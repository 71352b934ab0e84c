// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"context"
	"fmt"
	"time"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/recovery"
	"spine.nhs.uk/controlplane/operators/desired/alone"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/kit/operation"
)

// comparison is the action CompareSites.
type comparison struct{ resync }

func newCompare(r *Reconciler, o *api.ServiceRecovery) operation.Action {
	a := &comparison{resync{onService{Reconciler: r, operation: o}}}
	a.decide = func(ctx context.Context, l *look) (recovery.Decision, error) {
		f, err := a.compare(ctx, l)
		return recovery.PlanCompare(f), err
	}
	return a
}

func (a *comparison) compare(ctx context.Context, l *look) (recovery.Compare, error) {
	f, err := a.facts(ctx, l)
	return recovery.Compare{Resync: f, Available: l.database.Available}, err
}

// Before implements operation.Action: which site serves is looked at again.
func (a *comparison) Before(ctx context.Context, _ operation.Step) ([]api.Blocker, error) {
	l, err := a.look(ctx)
	if err != nil {
		return nil, err
	}
	f, err := a.compare(ctx, l)
	return f.Held(), err
}

// Act implements operation.Action.
func (a *comparison) Act(ctx context.Context, _ operation.Step) (string, error) {
	l, err := a.look(ctx)
	if err != nil {
		return "", err
	}
	if l.deployment == nil {
		return "", operation.Failed("%s has no program whose image could compare: it is not the service of the plan any more", l.ref.Touch())
	}
	made, children := a.job(l), kit.Children{Client: a.Client, Owner: l.object}
	// Policies come first: nothing shall run before its doors are closed.
	for _, p := range made.NetworkPolicies() {
		if err := children.LookAndApply(ctx, p); err != nil {
			return "", err
		}
	}
	return made.Name, children.LookAndApply(ctx, made.Job(l.deployment.Spec.Template.Spec.Containers[0].Image))
}

func (a *comparison) job(l *look) alone.Comparison {
	return alone.Comparison{Of: restorable(l.object), Name: fmt.Sprintf("%s-compare-%.*s", l.ref.Name, uidShare, string(a.operation.UID))}
}

// Check implements operation.Action.
func (a *comparison) Check(ctx context.Context, step operation.Step) (operation.Progress, error) {
	text, _, progress, err := a.found(ctx)
	switch {
	case err != nil:
		return operation.Progress{}, err
	case progress.NotActed && step.Memo != "":
		return operation.Progress{}, operation.Failed("Job %s was made and is gone: somebody has deleted it", step.Memo)
	case text == "":
		return progress, nil
	}
	return operation.Progress{Done: true, Message: text}, nil
}

// found is what the Job has found, for people, and the pod whose log is the list; empty while it has not.
func (a *comparison) found(ctx context.Context) (text, pod string, progress operation.Progress, err error) {
	l, err := a.look(ctx)
	if err != nil {
		return "", "", progress, err
	}
	var found recovery.Alone
	if pod, progress, err = a.reported(ctx, l, a.job(l).Name, &found); pod == "" || err != nil {
		return "", "", progress, err
	}
	f, err := a.compare(ctx, l)
	return f.Alone(found), pod, progress, err
}

// Verify implements operation.Action.
func (a *comparison) Verify(ctx context.Context, _ time.Time, evidence *api.Evidence) (operation.Progress, error) {
	text, pod, _, err := a.found(ctx)
	if err != nil {
		return operation.Progress{}, err
	}
	if pod == "" {
		return operation.Progress{}, operation.Failed("what was found is gone: somebody has deleted its pod")
	}
	evidence.Notes = append(evidence.Notes, text,
		fmt.Sprintf("the list, for a day: kubectl -n %s logs %s > missing.csv", a.operation.Namespace, pod))
	return operation.Progress{Done: true, Message: text}, nil
}
