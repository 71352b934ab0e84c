// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"context"
	"fmt"
	"slices"
	"strings"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	messagingapi "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/recovery"
	"spine.nhs.uk/controlplane/operators/kit/operation"
	"spine.nhs.uk/controlplane/operators/ports"
)

// supplierFacts are what the actions on one supplier rest on.
func supplierFacts(o *api.ServiceRecovery, l *look) recovery.Supplier {
	f := recovery.Supplier{Service: l.service, Object: l.ref, Name: o.Spec.Supplier}
	for _, s := range l.suppliers {
		f.All = append(f.All, s.Name)
		if s.Name == f.Name {
			f.StoppedBySpec = s.Traffic == messagingapi.TrafficStopped
		}
	}
	f.StoppedByHand = slices.Contains(common.StoppedSuppliers(l.object.GetAnnotations()), f.Name)
	if l.status != nil {
		f.Dead = new(int64)
		for _, d := range l.status.deadLettered {
			if d.Supplier == f.Name {
				*f.Dead += d.Count
			}
		}
	}
	return f
}

// traffic is the action QuarantineSupplier, and ReleaseSupplier.
type traffic struct {
	onService
	stop bool
}

func newQuarantine(r *Reconciler, o *api.ServiceRecovery) operation.Action {
	a := &traffic{onService{Reconciler: r, operation: o}, true}
	a.decide = func(_ context.Context, l *look) (recovery.Decision, error) {
		return recovery.PlanQuarantine(supplierFacts(o, l)), nil
	}
	return a
}

func newRelease(r *Reconciler, o *api.ServiceRecovery) operation.Action {
	a := &traffic{onService{Reconciler: r, operation: o}, false}
	a.decide = func(_ context.Context, l *look) (recovery.Decision, error) {
		return recovery.PlanRelease(supplierFacts(o, l)), nil
	}
	// What was kept for the supplier flows off at its rate limit, which is no failure of the release.
	a.notes = func() []string { return []string{"what was kept for " + o.Spec.Supplier + " is being delivered"} }
	return a
}

// Act implements operation.Action.
func (a *traffic) Act(ctx context.Context, _ operation.Step) (string, error) {
	l, err := a.look(ctx)
	if err != nil {
		return "", err
	}
	stopped := common.StoppedSuppliers(l.object.GetAnnotations())
	name := a.operation.Spec.Supplier
	stopped = slices.DeleteFunc(stopped, func(s string) bool { return s == name })
	if a.stop {
		stopped = append(stopped, name)
		slices.Sort(stopped)
	}
	return "", a.annotate(ctx, l.object, common.StoppedSuppliersAnnotation, strings.Join(stopped, ","))
}

// Check implements operation.Action: every gateway says so.
func (a *traffic) Check(ctx context.Context, _ operation.Step) (operation.Progress, error) {
	l, err := a.look(ctx)
	if err != nil {
		return operation.Progress{}, err
	}
	if f := supplierFacts(a.operation, l); f.StoppedByHand != a.stop {
		return operation.Progress{}, operation.Failed("somebody changed the annotation %s meanwhile: see who, and make another plan", common.StoppedSuppliersAnnotation)
	}
	replicas, err := a.replicasOf(ctx, l.target)
	if err != nil {
		return operation.Progress{}, err
	}
	if len(replicas) == 0 {
		return operation.Progress{Message: "no gateway is ready to take it up"}, nil
	}
	agree := 0
	for _, one := range replicas {
		var s ports.MessagingStatus
		if err := a.ask(ctx, l.target, one, &s); err != nil {
			return operation.Progress{Message: err.Error()}, nil
		}
		if slices.Contains(s.StoppedSuppliers, a.operation.Spec.Supplier) == a.stop {
			agree++
		}
	}
	return operation.Progress{Done: agree == len(replicas), Message: fmt.Sprintf("%d of %d gateways have taken it up", agree, len(replicas))}, nil
}
