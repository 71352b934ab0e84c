// SPDX-License-Identifier: Apache-2.0

// Package deepprobe asks the replicas of a service to send a synthetic request through the whole path, and says what
// that means for the service.
package deepprobe

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/ports"
)

// stageLength and detailLength bound what a program says, in characters.
const stageLength, detailLength = 63, 300

// Replica is one to ask.
type Replica struct {
	ports.Target
	// Pod is the name of its pod. Empty: any replica, at the address at which clients find the service.
	Pod string
	// Image that it runs; empty where any may answer.
	Image string
}

// Answer is what one said.
type Answer struct {
	Replica
	// Stage at which the probe failed; empty: it got through.
	Stage string
	// Detail says for people how it failed.
	Detail string
}

// Answers are in the order of the questions.
type Answers []Answer

// Ask asks all of them at once, for no longer than patience. Of one that did not answer, the stage is unreached.
func Ask(ctx context.Context, prober ports.Prober, patience time.Duration, unreached string, replicas ...Replica) Answers {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answers := make(Answers, len(replicas))
	var asking sync.WaitGroup
	for i, r := range replicas {
		asking.Go(func() { answers[i] = ask(ctx, prober, unreached, r) })
	}
	asking.Wait()
	return answers
}

func ask(ctx context.Context, prober ports.Prober, unreached string, r Replica) Answer {
	a := Answer{Replica: r}
	result, err := prober.Deep(ctx, r.Target)
	switch stage := result.FailedStage(); {
	case err != nil:
		a.Stage, a.Detail = unreached, err.Error()
	case !result.OK:
		a.Stage = clip(cmp.Or(stage.Name, "unnamed"), stageLength)
		a.Detail = fmt.Sprintf("%s: stage %s: %s", r.Address, a.Stage, clip(stage.Error, detailLength))
	default:
		return a
	}
	if r.Pod != "" {
		a.Detail = r.Pod + ": " + a.Detail
	}
	return a
}

// Failure is how the first of these targets, of which each is asked, does not get through; empty: all do.
func Failure(ctx context.Context, prober ports.Prober, patience time.Duration, targets ...ports.Target) string {
	replicas := make([]Replica, len(targets))
	for i, t := range targets {
		replicas[i].Target = t
	}
	for _, failed := range Ask(ctx, prober, patience, "reach", replicas...).Failed() {
		return failed.Detail
	}
	return ""
}

// Failed are those who did not get through.
func (a Answers) Failed() Answers {
	return slices.DeleteFunc(slices.Clone(a), func(one Answer) bool { return one.Stage == "" })
}

// With are those with an image; none where it is empty.
func (a Answers) With(image string) Answers {
	return slices.DeleteFunc(slices.Clone(a), func(one Answer) bool { return one.Image == "" || one.Image != image })
}

// Keep writes what they say into the memory of probes: one who fails is a failure, whoever else gets through, as
// clients come to each of them. The stage is that of one with the image that is being brought in, where one of those
// fails, since the change is judged by it; or else that of the way on which clients come. Image is empty while none is.
func (a Answers) Keep(m *common.ProbeStatus, image string, at metav1.Time, took time.Duration) {
	m.LastTime, m.Milliseconds = &at, took.Milliseconds()
	m.FailedStage, m.FailedReplica = "", ""
	failed := a.Failed()
	if len(failed) == 0 {
		m.LastSuccessTime, m.ConsecutiveFailures = &at, 0
		return
	}
	m.ConsecutiveFailures++
	worst := failed[0]
	if fresh := failed.With(image); len(fresh) > 0 {
		worst = fresh[0]
	}
	m.FailedStage = worst.Stage
	if !slices.ContainsFunc(failed, func(one Answer) bool { return one.Pod == "" }) {
		m.FailedReplica = worst.Pod
	}
}

// Judge writes what those with the image that is being brought in say into the memory of its change; without one,
// nothing is said.
func (a Answers) Judge(m *common.RolloutStatus, image string, at metav1.Time) {
	switch fresh := a.With(image); {
	case len(fresh) == 0:
	case len(fresh.Failed()) > 0:
		m.ProbeFailures++
	default:
		m.ProbePassedTime, m.ProbeFailures = &at, 0
	}
}

// Where says for people where the last probe failed.
func Where(m common.ProbeStatus) string {
	if m.FailedReplica == "" {
		return "stage " + m.FailedStage
	}
	return fmt.Sprintf("stage %s of %s, while another gets through", m.FailedStage, m.FailedReplica)
}

func clip(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most])
	}
	return text
}
