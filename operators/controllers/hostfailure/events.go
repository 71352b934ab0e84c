// SPDX-License-Identifier: Apache-2.0

package hostfailure

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	decide "spine.nhs.uk/controlplane/operators/decide/hostfailure"
	"spine.nhs.uk/controlplane/operators/kit"
)

// ourselves is what events are about that no operation carries: the manager.
func ourselves() *appsv1.Deployment {
	return &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Namespace: systemNamespace, Name: "spine-manager"},
	}
}

// tell people and metrics what was decided.
func (w *Watcher) tell(d decide.Decision) {
	verdict(d)
	changed := d.Verdict != w.told.Verdict || d.Host != w.told.Host
	w.told = d
	switch {
	case d.Reason != "":
		w.Events.Publish(needsPerson(d))
	case changed && (d.Verdict == decide.Fence || d.Verdict == decide.Return || d.Verdict == decide.LeaveAlone):
		w.Events.Publish(decided(d))
	}
}

// needsPerson: nothing is done without hands, and why.
func needsPerson(d decide.Decision) kit.Event {
	return kit.Event{
		Object: ourselves(), Type: corev1.EventTypeWarning, Reason: d.Reason, Message: d.Message,
		Topic: string(d.Verdict) + " " + d.Host,
	}
}

// decided: what is done, or left to whoever is at work.
func decided(d decide.Decision) kit.Event {
	return kit.Event{
		Object: ourselves(), Type: corev1.EventTypeNormal, Reason: "Host" + string(d.Verdict), Message: d.Message,
		Topic: string(d.Verdict) + " " + d.Host,
	}
}

// blocked: what it asked for itself is held back.
func blocked(o *api.ServiceRecovery) kit.Event {
	reason := api.ReasonStateUnknown
	if len(o.Status.Blockers) > 0 {
		reason = o.Status.Blockers[0].Reason
	}
	return kit.Event{
		Object: ourselves(), Type: corev1.EventTypeWarning, Reason: reason,
		Message: string(o.Spec.Action) + " of host " + o.Spec.Host + " without hands is held back: " + o.Status.Message,
		Topic:   string(o.Spec.Action) + " " + o.Spec.Host + " " + reason,
	}
}

// unanswered: a host that is well could not be fenced if it failed. Without a host it is the
// inventory that cannot be used.
func unanswered(host string, err error) kit.Event {
	return kit.Event{
		Object: ourselves(), Type: corev1.EventTypeWarning, Reason: api.ReasonHostUnmanaged,
		Message: "could not be fenced if it failed: " + err.Error(), Topic: "unanswered " + host,
	}
}
