// SPDX-License-Identifier: Apache-2.0

package bookingservice

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	desired "spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/operators/ports/deepprobe"
)

// changePace is how often the path is probed while the program changes.
const changePace = 5 * time.Second

// stageReach is the stage at which a probe failed that got no answer.
const stageReach = "reach"

// probe sends a synthetic booking through the whole path, at its pace: through any replica,
// as clients go, and through each that is ready. A good one must not hide a bad one, nor speak
// for it, while the program changes or while it does not.
func (s *scope) probe(ctx context.Context) (time.Duration, error) {
	if s.deployment == nil {
		return 0, nil
	}
	memory := &s.service.Status.Probe
	if s.resting() {
		memory.ConsecutiveFailures = 0 // of replicas that are gone
		return 0, nil
	}
	pace := s.service.Spec.Probe.Interval.Duration
	changing := s.program().StartedAt != nil
	if changing {
		pace = min(pace, changePace)
	}
	if memory.LastTime != nil {
		if wait := memory.LastTime.Add(pace).Sub(s.now); wait > 0 {
			return wait, nil
		}
	}
	began := s.Clock.Now()
	at := metav1.NewTime(s.now)
	answers := deepprobe.Ask(ctx, s.Prober, s.service.Spec.Probe.Timeout.Duration, stageReach, s.replicas()...)
	for _, failed := range answers.Failed() {
		s.tell(probeFailed(s.service, failed))
	}
	coming := ""
	if changing {
		coming = s.current()
	}
	answers.Judge(&s.service.Status.Service, coming, at)
	answers.Keep(memory, coming, at, s.Clock.Since(began))
	return pace, nil
}

// replicas are those to ask: any, and each that is ready.
func (s *scope) replicas() []deepprobe.Replica {
	target := ports.Target{Address: desired.OpsAddress(s.service), ServerName: desired.OpsServerName(s.service)}
	out := []deepprobe.Replica{{Target: target}}
	for _, pod := range s.pods {
		if kit.PodReady(&pod) && pod.Status.PodIP != "" {
			target.Address = desired.PodOpsAddress(pod.Status.PodIP)
			out = append(out, deepprobe.Replica{Target: target, Pod: pod.Name, Image: kit.PodImage(&pod)})
		}
	}
	return out
}

// clip cuts what a program said to what a field of status may hold.
func clip(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most])
	}
	return text
}

// failing says whether probes failed often enough in a row to count as an outage.
func (s *scope) failing() bool {
	return s.service.Status.Probe.ConsecutiveFailures >= s.service.Spec.Probe.FailuresBeforeUnhealthy
}
