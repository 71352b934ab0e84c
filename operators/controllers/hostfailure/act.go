// SPDX-License-Identifier: Apache-2.0

package hostfailure

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	decide "spine.nhs.uk/controlplane/operators/decide/hostfailure"
	"spine.nhs.uk/controlplane/operators/kit"
)

// operations on hosts, as they are now.
func (w *Watcher) operations(ctx context.Context) ([]api.ServiceRecovery, error) {
	ctx, cancel := context.WithTimeout(ctx, apiLimit)
	defer cancel()
	var list api.ServiceRecoveryList
	if err := w.Reader.List(ctx, &list, client.InNamespace(systemNamespace)); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list.Items, func(o api.ServiceRecovery) bool { return !o.Spec.Action.OnHost() }), nil
}

// facts are what a decision has to know of operations.
func facts(operations []api.ServiceRecovery) []decide.Operation {
	var out []decide.Operation
	for i := range operations {
		o := &operations[i]
		out = append(out, decide.Operation{
			Name: o.Name, Host: o.Spec.Host, Action: o.Spec.Action, Own: o.Spec.RequestedBy == managerUser,
			DryRun: ptr.Deref(o.Spec.DryRun, true), Phase: o.Status.Phase, At: o.CreationTimestamp.Time,
		})
	}
	return out
}

// carryOut asks for what was decided. It says whether an operation is being planned.
func (w *Watcher) carryOut(ctx context.Context, d decide.Decision, operations []api.ServiceRecovery) (bool, error) {
	switch d.Verdict {
	case decide.Fence:
		return true, w.ask(ctx, api.ActionFenceHost, d)
	case decide.Return:
		return true, w.ask(ctx, api.ActionReturnHost, d)
	}
	// Whatever else is decided: a dry run of its own goes on, or goes.
	for i := range operations {
		if o := &operations[i]; o.Spec.RequestedBy == managerUser && ptr.Deref(o.Spec.DryRun, true) {
			return w.goOn(ctx, o)
		}
	}
	return false, nil
}

// ask for an operation: a dry run first, as people do.
func (w *Watcher) ask(ctx context.Context, action api.Action, d decide.Decision) error {
	verb := strings.ToLower(strings.TrimSuffix(string(action), "Host"))
	o := &api.ServiceRecovery{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: systemNamespace,
			// One of a name for each look: whoever asks twice asks once.
			Name: fmt.Sprintf("%s-%s-%s", verb, d.Host, w.facts.Now.UTC().Format("20060102-150405")),
		},
		Spec: api.ServiceRecoverySpec{
			Action: action, Host: d.Host,
			OperationSpec: api.OperationSpec{RequestedBy: managerUser, Reason: shorten("without hands: " + d.Message), DryRun: ptr.To(true)},
		},
	}
	if err := w.Client.Create(ctx, o, client.FieldOwner(kit.FieldOwner)); client.IgnoreAlreadyExists(err) != nil {
		return err
	}
	return nil
}

// shorten to what the API takes as a reason.
func shorten(text string) string {
	if r := []rune(text); len(r) > 500 {
		return string(r[:500])
	}
	return text
}

// goOn turns a dry run into the real run by its own plan, if that is still what is decided
// without it, and throws it away if not, or if it is blocked.
func (w *Watcher) goOn(ctx context.Context, o *api.ServiceRecovery) (bool, error) {
	if !w.stillWanted(o) {
		return false, w.drop(ctx, o)
	}
	looked := o.Status.ObservedGeneration == o.Generation
	switch {
	case looked && o.Status.Phase == api.PhasePlanned && o.Status.Plan != nil:
		before := o.DeepCopy()
		o.Spec.DryRun, o.Spec.PlanDigest = ptr.To(false), o.Status.Plan.Digest
		patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
		return false, w.Client.Patch(ctx, o, patch, client.FieldOwner(kit.FieldOwner))
	case looked && o.Status.Phase == api.PhaseBlocked:
		w.Events.Publish(blocked(o))
		if w.Clock.Now().Sub(o.CreationTimestamp.Time) < w.patience(o.Spec.Host) {
			return true, nil
		}
		return false, w.drop(ctx, o)
	}
	return true, nil
}

// patience with a blocked dry run: little while the host has just failed, as the failure
// itself may be what holds it back, and more as time goes by.
func (w *Watcher) patience(host string) time.Duration {
	for _, h := range w.facts.Hosts {
		if h.Name == host {
			return min(max(h.DeafFor/4, blockedLife), time.Minute)
		}
	}
	return blockedLife
}

func (w *Watcher) stillWanted(o *api.ServiceRecovery) bool {
	f := w.facts
	f.Operations = slices.DeleteFunc(slices.Clone(f.Operations), func(other decide.Operation) bool { return other.Name == o.Name })
	d := decide.Decide(f)
	wanted := map[decide.Verdict]api.Action{decide.Fence: api.ActionFenceHost, decide.Return: api.ActionReturnHost}[d.Verdict]
	return wanted == o.Spec.Action && d.Host == o.Spec.Host
}

func (w *Watcher) drop(ctx context.Context, o *api.ServiceRecovery) error {
	return client.IgnoreNotFound(w.Client.Delete(ctx, o, client.Preconditions{UID: &o.UID, ResourceVersion: &o.ResourceVersion}))
}
