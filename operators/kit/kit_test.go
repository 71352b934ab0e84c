// SPDX-License-Identifier: Apache-2.0

package kit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/record"
)

func TestPhases(t *testing.T) {
	var ran []string
	phase := func(name string, after time.Duration, err error) Phase {
		return Phase{Name: name, Run: func(context.Context) (time.Duration, error) {
			ran = append(ran, name)
			return after, err
		}}
	}
	phases := []Phase{phase("a", 30, nil), phase("b", 10, errors.New("broken")), phase("c", 0, nil)}

	after, err := RunAll(t.Context(), phases...)
	if fmt.Sprint(ran) != "[a b c]" || after != 10 || err == nil || err.Error() != "b: broken" {
		t.Errorf("RunAll: ran %v, after %v, %v", ran, after, err)
	}
	ran = nil
	after, err = RunOrdered(t.Context(), phases...)
	if fmt.Sprint(ran) != "[a b]" || after != 10 || err == nil {
		t.Errorf("RunOrdered: ran %v, after %v, %v", ran, after, err)
	}
}

func TestStalledIsFoundInside(t *testing.T) {
	err := fmt.Errorf("support: %w", errors.Join(errors.New("other"), Stalled("R", "do %s", "this")))
	if s := AsStalled(err); s == nil || s.Reason != "R" || s.Message != "do this" {
		t.Errorf("got %v", s)
	}
	if AsStalled(errors.New("other")) != nil {
		t.Error("found where there is none")
	}
}

func TestConditions(t *testing.T) {
	var list []metav1.Condition
	then := time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)
	NewConditions(&list, 1, then).True("Ready", "A", "")
	NewConditions(&list, 2, then.Add(time.Hour)).True("Ready", "B", strings.Repeat("é", 2000))
	got := NewConditions(&list, 2, then).Get("Ready")
	if !got.LastTransitionTime.Time.Equal(then) || got.ObservedGeneration != 2 || got.Reason != "B" {
		t.Errorf("got %+v", got)
	}
	if n := len([]rune(got.Message)); n != maxMessage {
		t.Errorf("the message has %d characters", n)
	}
}

func TestEventsAreToldOnce(t *testing.T) {
	recorder := record.NewFakeRecorder(10)
	now := time.Unix(0, 0)
	events := NewEvents(recorder, func() time.Time { return now })
	a, b := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: "a"}}, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: "b"}}
	tell := func(p *corev1.Pod) {
		events.Publish(Event{Object: p, Type: corev1.EventTypeNormal, Reason: "R", Message: "m"})
	}
	tell(a)
	tell(a)
	tell(b)
	if n := len(recorder.Events); n != 2 {
		t.Errorf("told %d times, want once to each", n)
	}
	for port := range 3 {
		events.Publish(Event{Object: a, Type: corev1.EventTypeWarning, Reason: "R", Topic: "reach", Message: fmt.Sprintf("from port %d: refused", port)})
	}
	if n := len(recorder.Events); n != 3 {
		t.Errorf("told %d times, want one topic once", n-2)
	}
	<-recorder.Events
	now = now.Add(retell + time.Second)
	tell(a)
	if n := len(recorder.Events); n != 3 {
		t.Errorf("told %d times, want once more after a while", n)
	}
}

func TestOutcome(t *testing.T) {
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "services"}, "spine", errors.New("changed"))
	for name, test := range map[string]struct {
		after time.Duration
		err   error
		want  time.Duration
		fails bool
	}{
		"nothing to do":             {},
		"as the phases asked":       {after: 5 * time.Second, want: 5 * time.Second},
		"a person has to mend it":   {err: fmt.Errorf("parts: %w", Stalled("R", "m")), want: stalledPace},
		"a phase asked for sooner":  {after: time.Second, err: Stalled("R", "m"), want: time.Second},
		"the cache was behind":      {after: time.Hour, err: fmt.Errorf("status: %w", conflict), want: conflictPace},
		"the queue says when again": {after: time.Second, err: errors.New("away"), fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Outcome(test.after, test.err)
			if got.RequeueAfter != test.want || (err != nil) != test.fails {
				t.Errorf("got %v and %v, want %v", got.RequeueAfter, err, test.want)
			}
		})
	}
}
