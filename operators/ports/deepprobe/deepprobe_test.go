// SPDX-License-Identifier: Apache-2.0

package deepprobe

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/operators/ports/fake"
)

var at = metav1.NewTime(time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC))

func replica(pod, image string) Replica {
	return Replica{Target: ports.Target{Address: pod + ".test:1"}, Pod: pod, Image: image}
}

func TestEachIsAnAnswerForTheService(t *testing.T) {
	for name, test := range map[string]struct {
		failing         map[string]string // stages by pod
		coming          string
		stage, replica  string
		passed          bool
		failures, times int32
	}{
		"all get through":                     {passed: true},
		"one hides behind the others":         {failing: map[string]string{"b": "publish"}, stage: "publish", replica: "b"},
		"the first of two":                    {failing: map[string]string{"a": "settle", "b": "publish"}, stage: "settle", replica: "a"},
		"the clients' way alone":              {failing: map[string]string{"": "ledger"}, stage: "ledger"},
		"the clients' way and one":            {failing: map[string]string{"": "ledger", "b": "publish"}, stage: "ledger"},
		"all pass with a new one":             {coming: "new", passed: true, times: 1},
		"an old one fails, the new one not":   {coming: "new", failing: map[string]string{"a": "settle"}, stage: "settle", replica: "a", times: 1},
		"the new one fails":                   {coming: "new", failing: map[string]string{"b": "publish"}, stage: "publish", replica: "b", failures: 1},
		"the way and the new one fail":        {coming: "new", failing: map[string]string{"": "ledger", "b": "publish"}, stage: "publish", failures: 1},
		"the old and the new one fail":        {coming: "new", failing: map[string]string{"a": "settle", "b": "publish"}, stage: "publish", replica: "b", failures: 1},
		"nobody has the image that is coming": {coming: "newer", passed: true},
	} {
		t.Run(name, func(t *testing.T) {
			var prober fake.Prober
			replicas := []Replica{replica("", ""), replica("a", "old"), replica("b", "new")}
			for pod, stage := range test.failing {
				prober.Fail(pod+".test:1", stage)
			}
			answers := Ask(t.Context(), &prober, time.Minute, "reach", replicas...)
			probe := common.ProbeStatus{ConsecutiveFailures: 4, FailedStage: "before", FailedReplica: "before"}
			answers.Keep(&probe, test.coming, at, 1500*time.Millisecond)
			want := common.ProbeStatus{LastTime: &at, FailedStage: test.stage, FailedReplica: test.replica, ConsecutiveFailures: 5, Milliseconds: 1500}
			if test.passed {
				want.ConsecutiveFailures, want.LastSuccessTime = 0, &at
			}
			if !reflect.DeepEqual(probe, want) {
				t.Errorf("%+v, want %+v", probe, want)
			}
			image := common.RolloutStatus{}
			answers.Judge(&image, test.coming, at)
			if image.ProbeFailures != test.failures || (image.ProbePassedTime != nil) != (test.times > 0) {
				t.Errorf("of the image: %+v", image)
			}
		})
	}
}

func TestAPassForgetsFailuresOfTheImage(t *testing.T) {
	image := common.RolloutStatus{ProbeFailures: 2}
	Answers{{Replica: replica("b", "new")}}.Judge(&image, "new", at)
	if image.ProbeFailures != 0 || image.ProbePassedTime == nil {
		t.Errorf("%+v", image)
	}
}

// answering answers in its own words.
type answering struct {
	ports.Prober
	result ports.DeepResult
	err    error
}

func (a answering) Deep(context.Context, ports.Target) (ports.DeepResult, error) {
	return a.result, a.err
}

func TestWordsAreBounded(t *testing.T) {
	long := strings.Repeat("é", 400)
	for name, test := range map[string]struct {
		prober        answering
		stage, detail string
	}{
		"no answer":          {answering{err: errors.New("refused")}, "reach", "a: refused"},
		"no name of a stage": {answering{result: ports.DeepResult{Stages: []ports.Stage{{Error: "x"}}}}, "unnamed", "a: a.test:1: stage unnamed: x"},
		"no stage at all":    {answering{}, "unnamed", "a: a.test:1: stage unnamed: "},
		"long ones": {answering{result: ports.DeepResult{Stages: []ports.Stage{{Name: long, Error: long}}}},
			long[:2*63], "a: a.test:1: stage " + long[:2*63] + ": " + long[:2*300]},
	} {
		t.Run(name, func(t *testing.T) {
			got := Ask(t.Context(), test.prober, time.Minute, "reach", replica("a", ""))[0]
			if got.Stage != test.stage || got.Detail != test.detail {
				t.Errorf("%q, %q", got.Stage, got.Detail)
			}
		})
	}
}

// silent answers nobody but when all have asked.
type silent struct {
	ports.Prober
	asked chan struct{}
}

func (s silent) Deep(ctx context.Context, t ports.Target) (ports.DeepResult, error) {
	s.asked <- struct{}{}
	<-ctx.Done()
	return ports.DeepResult{}, ctx.Err()
}

func TestOneThatIsSilentKeepsNobodyWaiting(t *testing.T) {
	s := silent{asked: make(chan struct{}, 3)}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for range 3 {
			<-s.asked // all at once, or nobody would ask the second
		}
		cancel()
	}()
	if got := Ask(ctx, s, time.Minute, "reach", replica("a", ""), replica("b", ""), replica("c", "")); len(got.Failed()) != 3 {
		t.Errorf("%+v", got)
	}
	if got := Ask(t.Context(), s, time.Millisecond, "reach", replica("a", "")); got[0].Stage != "reach" {
		t.Errorf("%+v", got)
	}
}

func TestFailure(t *testing.T) {
	var prober fake.Prober
	all := []ports.Target{{Address: "a:1"}, {Address: "b:1"}, {Address: "c:1"}}
	if got := Failure(t.Context(), &prober, time.Minute, all...); got != "" {
		t.Error(got)
	}
	prober.Fail("c:1", "settle")
	prober.Fail("b:1", "publish")
	if got := Failure(t.Context(), &prober, time.Minute, all...); got != "b:1: stage publish: made to fail" {
		t.Error(got)
	}
	prober.Down(true)
	if got := Failure(t.Context(), &prober, time.Minute, all...); !strings.Contains(got, "a:1") {
		t.Error(got)
	}
}

func TestWhere(t *testing.T) {
	if got := Where(common.ProbeStatus{FailedStage: "publish"}); got != "stage publish" {
		t.Error(got)
	}
	if got := Where(common.ProbeStatus{FailedStage: "publish", FailedReplica: "b"}); got != "stage publish of b, while another gets through" {
		t.Error(got)
	}
}
