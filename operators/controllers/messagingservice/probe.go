// SPDX-License-Identifier: Apache-2.0

package messagingservice

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	desired "spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/ports"
)

// unreachable is the stage of a probe that nobody answered.
const unreachable = "gateway"

// probe asks the gateways, when it is time to: one message through the whole path, and
// the counts of the ledger.
func (s *scope) probe(ctx context.Context) (time.Duration, error) {
	if s.gatewayChild.Live == nil {
		return 0, nil
	}
	if s.resting() {
		s.service.Status.Redundancy.Astray = nil
		s.service.Status.Probe.ConsecutiveFailures = 0 // of gateways that are gone
		return 0, nil
	}
	pace := s.service.Spec.Probe.Interval.Duration
	if s.changing() {
		pace = min(pace, changePace)
	}
	if last := s.service.Status.Probe.LastTime; last != nil && s.now.Sub(last.Time) < pace && s.now.After(last.Time) {
		return pace - s.now.Sub(last.Time), nil
	}
	s.deepProbe(ctx)
	s.count(ctx)
	return pace, nil
}

// deepProbe asks any gateway, as a client would, and while a change goes on also each ready
// gateway with the new image: a good old one must not hide a bad new one, nor speak for it.
func (s *scope) deepProbe(ctx context.Context) {
	began := s.Clock.Now()
	at := metav1.NewTime(s.now)
	failed := s.deep(ctx, desired.OpsAddress(s.service))
	if fresh := s.fresh(ctx); len(fresh) > 0 {
		bad := ""
		for _, address := range fresh {
			if bad = s.deep(ctx, address); bad != "" {
				break
			}
		}
		image := &s.service.Status.Gateway
		if bad == "" {
			image.ProbePassedTime, image.ProbeFailures = &at, 0
		} else {
			image.ProbeFailures, failed = min(image.ProbeFailures+1, maxFailures), bad
		}
	}
	status := &s.service.Status.Probe
	status.LastTime, status.FailedStage = &at, failed
	status.Milliseconds = s.Clock.Since(began).Milliseconds()
	if failed == "" {
		status.LastSuccessTime, status.ConsecutiveFailures = &at, 0
		return
	}
	status.ConsecutiveFailures = min(status.ConsecutiveFailures+1, maxFailures)
}

// maxFailures is where counting stops.
const maxFailures = 1 << 20

// deep returns the stage at which a probe of one address failed, or nothing.
func (s *scope) deep(ctx context.Context, address string) string {
	ctx, cancel := context.WithTimeout(ctx, s.service.Spec.Probe.Timeout.Duration)
	defer cancel()
	result, err := s.Prober.Deep(ctx, ports.Target{Address: address, ServerName: desired.OpsServerName(s.service)})
	if err != nil {
		s.Events.Publish(probeFailed(s.service, unreachable, err.Error()))
		return unreachable
	}
	if result.OK {
		return ""
	}
	stage := result.FailedStage()
	name := truncate(cmp.Or(stage.Name, "unnamed"), 63)
	s.Events.Publish(probeFailed(s.service, name, fmt.Sprintf("%s: stage %s: %s", address, name, truncate(stage.Error, 300))))
	return name
}

// fresh are the addresses of ready gateways with the image that is being brought in; none
// when no change is in progress.
func (s *scope) fresh(ctx context.Context) []string {
	if !s.changing() {
		return nil
	}
	pods := &unstructured.UnstructuredList{}
	pods.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("PodList"))
	if err := s.Client.List(ctx, pods, client.InNamespace(s.service.Namespace),
		client.MatchingLabels(desired.Selector(s.service, desired.Gateway))); err != nil {
		return nil // the change has a deadline, and nobody has spoken for the new image
	}
	var out []string
	for i := range pods.Items {
		var pod corev1.Pod
		if convert(&pods.Items[i], &pod) == nil && readyWith(&pod, s.gateway.image) {
			out = append(out, desired.PodOpsAddress(pod.Status.PodIP))
		}
	}
	return out
}

func readyWith(pod *corev1.Pod, image string) bool {
	if !pod.DeletionTimestamp.IsZero() || pod.Status.PodIP == "" || len(pod.Spec.Containers) == 0 || pod.Spec.Containers[0].Image != image {
		return false
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// count reads the ledger's counts. Without an answer the last ones stay, with their time.
func (s *scope) count(ctx context.Context) {
	astray := &s.service.Status.Redundancy.Astray
	status, err := s.ask(ctx)
	if err != nil {
		*astray = nil // nobody knows
		return
	}
	if s.databaseChild != nil {
		*astray = database.Astray(s.databaseChild.Live, status.Standbys)
		s.database = database.Observe(s.databaseChild.Live).Without(s.databaseChild.Live, *astray)
	}
	s.counted, s.replication = true, status.Replication
	b := &api.Backlog{
		Acknowledged: status.Acknowledged, Settled: status.Settled, Unsettled: status.Unsettled,
		ObservedTime: metav1.NewTime(s.now),
	}
	if status.Unsettled > 0 {
		at := metav1.NewTime(s.now.Add(-time.Duration(status.OldestUnsettledSeconds * float64(time.Second))).Truncate(time.Second))
		b.OldestTime = &at
	}
	for _, d := range status.DeadLettered {
		if d.Count > 0 && len(b.DeadLettered) < maxSuppliers {
			b.DeadLettered = append(b.DeadLettered, api.SupplierCount{Supplier: truncate(d.Supplier, 63), Count: d.Count})
		}
	}
	s.service.Status.Backlog = b
}

// maxSuppliers that the status has room for.
const maxSuppliers = 50

func (s *scope) ask(ctx context.Context) (ports.MessagingStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, s.service.Spec.Probe.Timeout.Duration)
	defer cancel()
	var status ports.MessagingStatus
	target := ports.Target{Address: desired.OpsAddress(s.service), ServerName: desired.OpsServerName(s.service)}
	if err := s.Prober.Status(ctx, target, &status); err != nil {
		return status, err
	}
	if status.Acknowledged < 0 || status.Settled < 0 || status.Unsettled < 0 || status.OldestUnsettledSeconds < 0 {
		return status, errors.New(target.Address + " counted less than nothing")
	}
	return status, nil
}

func truncate(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
