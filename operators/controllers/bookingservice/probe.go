// SPDX-License-Identifier: Apache-2.0

package bookingservice

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	desired "spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/ports"
)

// changePace is how often the path is probed while the program changes.
const changePace = 5 * time.Second

// stageReach is the stage at which a probe failed that got no answer.
const stageReach = "reach"

// probe sends a synthetic booking through the whole path, at its pace. While the program
// changes, every replica with the new image is asked: what serves must be what is judged.
func (s *scope) probe(ctx context.Context) (time.Duration, error) {
	if s.deployment == nil {
		return 0, nil
	}
	memory := &s.service.Status.Probe
	pace := s.service.Spec.Probe.Interval.Duration
	changing := s.service.Status.Service.StartedAt != nil
	if changing {
		pace = min(pace, changePace)
	}
	if memory.LastTime != nil {
		if wait := memory.LastTime.Add(pace).Sub(s.now); wait > 0 {
			return wait, nil
		}
	}
	addresses, judged := []string{desired.OpsAddress(s.service)}, true
	if changing {
		if fresh := s.serving(s.service.Status.Service.CurrentImage); len(fresh) > 0 {
			addresses = fresh
		} else {
			judged = false // the old replicas' success says nothing of the new image
		}
	}
	began := s.Clock.Now()
	stage := ""
	for _, address := range addresses {
		if stage = s.ask(ctx, address); stage != "" {
			break
		}
	}
	at := metav1.NewTime(s.now)
	memory.LastTime = &at
	memory.FailedStage = stage
	memory.Milliseconds = s.Clock.Since(began).Milliseconds()
	switch {
	case stage != "":
		memory.ConsecutiveFailures = min(memory.ConsecutiveFailures+1, 1<<20)
	case judged:
		memory.ConsecutiveFailures, memory.LastSuccessTime = 0, &at
	default:
		memory.ConsecutiveFailures = 0
	}
	return pace, nil
}

// ask returns the stage at which a probe of one address failed, or nothing.
func (s *scope) ask(ctx context.Context, address string) string {
	ctx, cancel := context.WithTimeout(ctx, s.service.Spec.Probe.Timeout.Duration)
	defer cancel()
	result, err := s.Prober.Deep(ctx, ports.Target{Address: address, ServerName: desired.OpsServerName(s.service)})
	switch {
	case err != nil:
		s.tell(probeFailed(s.service, err.Error()))
		return stageReach
	case result.OK:
		return ""
	}
	stage := result.FailedStage()
	if stage.Name == "" {
		stage.Name = "unnamed"
	}
	s.tell(probeFailed(s.service, fmt.Sprintf("%s: stage %s: %s", address, stage.Name, clip(stage.Error, 300))))
	return clip(stage.Name, 63)
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
