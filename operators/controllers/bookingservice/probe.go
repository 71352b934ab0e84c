// SPDX-License-Identifier: Apache-2.0

package bookingservice

import (
	"cmp"
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

// maxFailures is where counting stops.
const maxFailures = 1 << 20

// probe sends a synthetic booking through the whole path, at its pace: through any replica,
// as clients go, and while the program changes also through each ready replica with the new
// image. A good old one must not hide a bad new one, nor speak for it.
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
	stage := s.ask(ctx, desired.OpsAddress(s.service))
	if changing {
		stage = cmp.Or(s.judge(ctx, at), stage)
	}
	memory.LastTime = &at
	memory.FailedStage = stage
	memory.Milliseconds = s.Clock.Since(began).Milliseconds()
	if stage == "" {
		memory.ConsecutiveFailures, memory.LastSuccessTime = 0, &at
	} else {
		memory.ConsecutiveFailures = min(memory.ConsecutiveFailures+1, maxFailures)
	}
	return pace, nil
}

// judge asks every ready replica with the new image, keeps what that says of the image, and
// returns the stage at which one of them failed. Where there is none, nothing is said.
func (s *scope) judge(ctx context.Context, at metav1.Time) string {
	fresh, image := s.serving(s.current()), &s.service.Status.Service
	for _, address := range fresh {
		if stage := s.ask(ctx, address); stage != "" {
			image.ProbeFailures = min(image.ProbeFailures+1, maxFailures)
			return stage
		}
	}
	if len(fresh) > 0 {
		image.ProbePassedTime, image.ProbeFailures = &at, 0
	}
	return ""
}

// ask returns the stage at which a probe of one address failed, or nothing.
func (s *scope) ask(ctx context.Context, address string) string {
	ctx, cancel := context.WithTimeout(ctx, s.service.Spec.Probe.Timeout.Duration)
	defer cancel()
	result, err := s.Prober.Deep(ctx, ports.Target{Address: address, ServerName: desired.OpsServerName(s.service)})
	switch {
	case err != nil:
		s.tell(probeFailed(s.service, stageReach, err.Error()))
		return stageReach
	case result.OK:
		return ""
	}
	stage := result.FailedStage()
	if stage.Name == "" {
		stage.Name = "unnamed"
	}
	s.tell(probeFailed(s.service, stage.Name, fmt.Sprintf("%s: stage %s: %s", address, stage.Name, clip(stage.Error, 300))))
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
