// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/runbooks"
)

type objectOf = runtime.Object

func setItems(list client.ObjectList, items []client.Object) error {
	objects := make([]runtime.Object, len(items))
	for i := range items {
		objects[i] = items[i]
	}
	return meta.SetList(list, objects)
}

// service judges a service by its conditions.
func (s *siteStatus) service(line serviceStatus, o client.Object, conditions []metav1.Condition, probe common.ProbeStatus, spec common.ProbeSpec, now time.Time) {
	ready := meta.FindStatusCondition(conditions, common.ConditionReady)
	line.State = "UNKNOWN"
	switch {
	case ready == nil:
		s.wrong(common.ReasonStateUnknown, line.name(), "the manager has not said anything about it", nil)
	case ready.Reason == common.ReasonAsleep:
		line.Ready, line.State = ready.Status == metav1.ConditionTrue, sleepWords[line.Sleep]
	case ready.Status == metav1.ConditionTrue && ready.Reason == common.ReasonStandingBy:
		line.Ready, line.State = true, "stands by"
	case ready.Status == metav1.ConditionTrue:
		line.Ready, line.State = true, "ready"
	case ready.Status == metav1.ConditionFalse:
		line.State = "NOT READY"
	}
	// Nobody probes what does not run, nor is it in the middle of a change.
	awake := line.Sleep == "" || line.Sleep == common.SleepAwake
	if o.GetDeletionTimestamp() != nil {
		line.State += ", being deleted"
	} else if p := meta.FindStatusCondition(conditions, common.ConditionProgressing); p != nil && p.Status == metav1.ConditionTrue && line.Ready && awake {
		line.State += ", changing"
	}
	serves := ready == nil || ready.Reason != common.ReasonStandingBy
	if stale := staleness(probe, spec, now); stale > 0 && awake && serves {
		s.wrong(common.ReasonStateUnknown, line.name(),
			fmt.Sprintf("the manager last probed it %s ago: what is shown here is as old; see that it runs", short(stale)), nil)
	}
	told := map[string]bool{}
	for _, c := range conditions {
		// Ready repeats what is wrong with a part. That a part does not run where the service stands by is as it should be.
		if c.Type != common.ConditionReady && c.Reason != common.ReasonStandingBy && notWell(c) && !told[c.Reason] {
			told[c.Reason] = true
			s.wrong(c.Reason, line.name(), c.Type+": "+c.Message, &c.LastTransitionTime)
		}
	}
	if ready != nil && notWell(*ready) && !told[ready.Reason] {
		s.wrong(ready.Reason, line.name(), ready.Type+": "+ready.Message, &ready.LastTransitionTime)
	}
	s.Services = append(s.Services, line)
}

// sleepWords are the states of a service that is not awake.
var sleepWords = map[common.SleepPhase]string{
	common.SleepAsleep: "asleep", common.SleepFalling: "falling asleep", common.SleepWaking: "waking", common.SleepAwake: "waking",
}

// warningAge is how long a warning of the manager is shown: it repeats those that hold every
// 5 minutes.
const warningAge = 6 * time.Minute

// warnings are what the manager does not do without hands, and why: those of its events that
// have a page. One for each reason and message.
func (s *siteStatus) warnings(events []corev1.Event, now time.Time) {
	told := map[string]bool{}
	for i := range events {
		e := &events[i]
		line := lineOf(e)
		if e.InvolvedObject.Kind != "Deployment" || e.InvolvedObject.Name != "spine-manager" || e.Type != corev1.EventTypeWarning ||
			now.Sub(line.Time.Time) > warningAge || !hasPage(e.Reason) || told[e.Reason+e.Message] {
			continue
		}
		told[e.Reason+e.Message] = true
		s.wrong(e.Reason, "the manager says", e.Message, nil)
	}
}

// staleness is how old the last probe is when it is older than it can be while the manager
// runs; else 0. A probe is due every interval and may take its timeout.
func staleness(p common.ProbeStatus, spec common.ProbeSpec, now time.Time) time.Duration {
	if p.LastTime == nil {
		return 0
	}
	age := now.Sub(p.LastTime.Time)
	if age <= time.Minute+3*spec.Interval.Duration+spec.Timeout.Duration {
		return 0
	}
	return age
}

// notWell says that a condition needs to be told: most are well while True, Stalled while
// False, and Progressing unless it waits for something that is wrong.
func notWell(c metav1.Condition) bool {
	switch {
	case c.Type == common.ConditionStalled:
		return c.Status == metav1.ConditionTrue
	case c.Reason == common.ReasonAsleep:
		return false // as somebody has asked
	}
	switch c.Type {
	case common.ConditionProgressing:
		return c.Status != metav1.ConditionFalse && hasPage(c.Reason)
	}
	return c.Status != metav1.ConditionTrue
}

func hasPage(reason string) bool {
	_, err := runbooks.Page(reason)
	return err == nil
}

// pageCommand shows the page of a reason; empty when it has none.
func pageCommand(reason string) string {
	if !hasPage(reason) {
		return ""
	}
	return "kubectl spine explain " + reason
}

// pageOf ends a sentence with the command that shows the page of a reason, where there is one.
func pageOf(reason string) string {
	if page := pageCommand(reason); page != "" {
		return "; what to do: " + page
	}
	return ""
}

func (s *siteStatus) wrong(reason, object, message string, since *metav1.Time) {
	s.Problems = append(s.Problems, problem{Reason: reason, Object: object, Message: message, Since: since, Page: pageCommand(reason)})
}

// allReasons that have a page, the worst first.
func allReasons() []string {
	out := common.RunbookReasons()
	for _, r := range api.RunbookReasons() {
		if !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

// sortProblems puts what has no page first (a site or a kind that cannot be read hides the
// rest), then the worst reasons.
func sortProblems(problems []problem) {
	order := allReasons()
	slices.SortStableFunc(problems, func(a, b problem) int {
		return slices.Index(order, a.Reason) - slices.Index(order, b.Reason)
	})
}
