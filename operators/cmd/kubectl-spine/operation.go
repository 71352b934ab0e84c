// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// isDryRun says that the operation ends with its plan: the default.
func isDryRun(o *api.ServiceRecovery) bool { return o.Spec.DryRun == nil || *o.Spec.DryRun }

// targetName is what a person types to agree to an operation.
func targetName(o *api.ServiceRecovery) string {
	if o.Spec.Service == nil {
		return o.Spec.Host
	}
	return o.Spec.Service.Name
}

// targetOf names what an operation is on, e.g. "spine Broker", "host b".
func targetOf(o *api.ServiceRecovery) string {
	if kindOf(o) == kindFailover {
		return "site " + o.Spec.Host
	}
	if o.Spec.Service == nil {
		return "host " + o.Spec.Host
	}
	words := []string{o.Spec.Service.Name, string(o.Spec.Part), o.Spec.Instance, o.Spec.Supplier}
	if o.Spec.Replicas > 0 {
		words = append(words, fmt.Sprintf("to %d", o.Spec.Replicas))
	}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

// phaseWords is the phase, with what has to be known beside it.
func phaseWords(o *api.ServiceRecovery) string {
	phase := string(o.Status.Phase)
	if phase == "" {
		phase = string(api.PhasePlanning)
	}
	if isDryRun(o) && !o.Status.Phase.Ended() {
		return phase + " (dry run)"
	}
	if o.Spec.Abort && !o.Status.Phase.Ended() {
		return phase + ", aborting"
	}
	return phase
}

// currentStep is the step that runs, with its place among all; empty when none does.
func currentStep(o *api.ServiceRecovery) string {
	if o.Status.Plan == nil {
		return ""
	}
	for i, step := range o.Status.Steps {
		if step.State == api.StepRunning {
			return fmt.Sprintf("%d/%d %s", i+1, len(o.Status.Plan.Steps), step.Name)
		}
	}
	return ""
}

// failureReason is the reason that an operation failed with.
func failureReason(o *api.ServiceRecovery) string {
	for _, b := range o.Status.Blockers {
		if b.Reason == api.ReasonStepUncertain {
			return b.Reason
		}
	}
	return api.ReasonStepFailed
}

// find looks an operation up by NAME or NAMESPACE/NAME.
func (s *site) find(ctx context.Context, namespace, name string) (*api.ServiceRecovery, error) {
	if ns, n, ok := strings.Cut(name, "/"); ok {
		namespace, name = ns, n
	}
	if namespace != "" {
		for _, kind := range []string{"ServiceRecovery", kindFailover} {
			o, err := s.read(ctx, kind, client.ObjectKey{Namespace: namespace, Name: name})
			switch {
			case err == nil:
				return o, nil
			case kind == kindFailover && (kindMissing(err) || apierrors.IsForbidden(err)):
				continue // a site that knows one kind only, or a person who may not see the other
			case !apierrors.IsNotFound(err) || kindMissing(err):
				return nil, s.explain(err, "read operation "+namespace+"/"+name)
			}
		}
	}
	items, err := s.operations(ctx)
	if err != nil {
		return nil, err
	}
	var known []string
	var found []*api.ServiceRecovery
	for i := range items {
		o := &items[i]
		known = append(known, o.Name)
		if o.Name == name && (namespace == "" || o.Namespace == namespace) {
			found = append(found, o)
		}
	}
	switch len(found) {
	case 0:
		return nil, unknown("operation", name, latest(items, known))
	case 1:
		return found[0], nil
	}
	var full []string
	for _, o := range found {
		full = append(full, o.Namespace+"/"+o.Name)
	}
	return nil, fmt.Errorf("several operations are named %s: say %s", name, oneOf(full))
}

// latest are at most ten names, the newest operations first, and so that they can be listed.
func latest(items []api.ServiceRecovery, names []string) []string {
	if len(names) <= 10 {
		return names
	}
	sorted := slices.Clone(items)
	slices.SortFunc(sorted, func(a, b api.ServiceRecovery) int { return b.CreationTimestamp.Compare(a.CreationTimestamp.Time) })
	var out []string
	for i := range sorted[:10] {
		out = append(out, sorted[i].Name)
	}
	return out
}
