// SPDX-License-Identifier: Apache-2.0

package operation

import (
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit/lease"
)

func unknown(message string) api.Blocker {
	return api.Blocker{Reason: api.ReasonStateUnknown, Message: clip(message, maxMessage)}
}

func planChanged(asked, made string) api.Blocker {
	return api.Blocker{Reason: api.ReasonPlanChanged, Message: fmt.Sprintf(
		"the plan is %s by now, and %s was agreed to: read status.plan; if you agree to it, abort this operation and make another one", made, asked)}
}

func windowClosed(begins time.Time) api.Blocker {
	when := "it does not open within a week"
	if !begins.IsZero() {
		when = "it opens at " + begins.UTC().Format(time.RFC3339)
	}
	return api.Blocker{Reason: api.ReasonWindowClosed, Waivable: true,
		Message: "the change window is closed, and this disrupts: " + when}
}

func refused(r lease.Refusal) api.Blocker {
	if r.Holder == nil {
		return api.Blocker{Reason: api.ReasonCoolingDown, Message: fmt.Sprintf(
			"an operation on the same target ended lately (lease %s): it rests until %s", r.Lease, r.Until.UTC().Format(time.RFC3339))}
	}
	return api.Blocker{Reason: api.ReasonOtherOperation, Message: fmt.Sprintf(
		"%s %s/%s is at work (lease %s): wait until it has ended, or abort it", r.Holder.Kind, r.Holder.Namespace, r.Holder.Name, r.Lease)}
}

// merge makes one blocker of those of the same reason, as status holds one each, and keeps
// to what the API stores. What is waivable only in part is not.
func merge(blockers []api.Blocker) []api.Blocker {
	var out []api.Blocker
	for _, b := range blockers {
		b.Message = clip(b.Message, maxMessage)
		i := slices.IndexFunc(out, func(o api.Blocker) bool { return o.Reason == b.Reason })
		switch {
		case i >= 0:
			out[i].Message = clip(out[i].Message+"; "+b.Message, maxMessage)
			out[i].Waivable = out[i].Waivable && b.Waivable
		case len(out) < maxBlockers:
			out = append(out, b)
		}
	}
	return out
}

// only says that all blockers have one of the reasons.
func only(blockers []api.Blocker, reasons ...string) bool {
	return !slices.ContainsFunc(blockers, func(b api.Blocker) bool { return !slices.Contains(reasons, b.Reason) })
}

// said is the first blocker in words, and how many more there are.
func said(blockers []api.Blocker) string {
	message := blockers[0].Message
	if more := len(blockers) - 1; more > 0 {
		message += fmt.Sprintf(" (and %d more)", more)
	}
	return message
}

// leaseKeys are where the leases of resources are.
func leaseKeys(resources []string, namespace string) []client.ObjectKey {
	var out []client.ObjectKey
	for _, r := range resources {
		out = append(out, lease.Key(r, namespace))
	}
	return out
}

// keys of the leases that an operation holds or may hold.
func keys(o *Operation) []client.ObjectKey { return leaseKeys(o.Status.Leases, o.Holder.Namespace) }
