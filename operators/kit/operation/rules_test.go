// SPDX-License-Identifier: Apache-2.0

package operation

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

func TestNext(t *testing.T) {
	const pending, running, done = api.StepPending, api.StepRunning, api.StepSucceeded
	type steps []api.StepStatus
	for name, c := range map[string]struct {
		steps steps
		abort bool
		want  move
		at    int
	}{
		"the first":                    {steps{{State: pending}, {State: pending}}, false, moveBegin, 0},
		"the second":                   {steps{{State: done}, {State: pending}}, false, moveBegin, 1},
		"the act returned":             {steps{{State: running, Acted: true}, {State: pending}}, false, moveCheck, 0},
		"cut off, repeatable":          {steps{{State: running}, {State: pending}}, false, moveBegin, 0},
		"cut off, not repeatable":      {steps{{State: done}, {State: running}}, false, moveResolve, 1},
		"all done":                     {steps{{State: done}, {State: done}}, false, moveVerify, 2},
		"aborted before the first":     {steps{{State: pending}, {State: pending}}, true, moveAbort, 0},
		"aborted within a step":        {steps{{State: running, Acted: true}, {State: pending}}, true, moveCheck, 0},
		"aborted before the last":      {steps{{State: done}, {State: pending}}, true, moveAbort, 1},
		"aborted when all was done":    {steps{{State: done}, {State: done}}, true, moveVerify, 2},
		"aborted beyond the last step": {steps{{State: done}, {State: running}}, true, moveResolve, 1},
	} {
		t.Run(name, func(t *testing.T) {
			status := &api.OperationStatus{Steps: c.steps, Plan: &api.Plan{Steps: []api.PlannedStep{{Name: "a", Repeatable: true}, {Name: "b"}}, PointOfNoReturn: "b"}}
			if got, at := next(&api.OperationSpec{Abort: c.abort}, status); got != c.want || at != c.at {
				t.Errorf("got %s of %d", got, at)
			}
		})
	}
}

func TestAStepThatIsInterruptibleIsNotWaitedFor(t *testing.T) {
	plan := &api.Plan{Steps: []api.PlannedStep{{Name: "a", Repeatable: true, Interruptible: true}, {Name: "b", Interruptible: true}}, PointOfNoReturn: "a"}
	done, acted, cutOff := api.StepStatus{State: api.StepSucceeded}, api.StepStatus{State: api.StepRunning, Acted: true}, api.StepStatus{State: api.StepRunning}
	for name, c := range map[string]struct {
		steps []api.StepStatus
		abort bool
		want  move
	}{
		"its act returned":              {[]api.StepStatus{acted, {State: api.StepPending}}, true, moveAbort},
		"its act was cut off":           {[]api.StepStatus{cutOff, {State: api.StepPending}}, true, moveAbort},
		"nobody has aborted it":         {[]api.StepStatus{acted, {State: api.StepPending}}, false, moveCheck},
		"beyond the point of no return": {[]api.StepStatus{done, acted}, true, moveCheck},
	} {
		if got, _ := next(&api.OperationSpec{Abort: c.abort}, &api.OperationStatus{Steps: c.steps, Plan: plan}); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestPointOfNoReturn(t *testing.T) {
	plan := &api.Plan{Steps: []api.PlannedStep{{Name: "a"}, {Name: "b"}, {Name: "c"}}, PointOfNoReturn: "b"}
	for i, want := range []bool{true, true, false} {
		if got := abortable(plan, i); got != want {
			t.Errorf("before step %d: %v", i, got)
		}
	}
	plan.PointOfNoReturn = ""
	if !abortable(plan, 2) {
		t.Error("without a point of no return it may end between any two steps")
	}
}

func TestApproved(t *testing.T) {
	now := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	of := approvalOf{kind: "ServiceRecovery", name: "op", created: now.Add(-time.Hour), requester: "alice", digest: "sha256:1", maxAge: 30 * time.Minute}
	good := func(change func(*api.Approval)) api.Approval {
		a := api.Approval{ObjectMeta: metav1.ObjectMeta{Name: "yes", CreationTimestamp: metav1.NewTime(now.Add(-time.Minute))}, Spec: api.ApprovalSpec{
			Operation: api.OperationRef{Kind: "ServiceRecovery", Name: "op"}, PlanDigest: "sha256:1", Approver: "bob", Requester: "alice",
			ExpiresAt: metav1.NewTime(now.Add(time.Minute)),
		}}
		if change != nil {
			change(&a)
		}
		return a
	}
	for name, c := range map[string]struct {
		approvals []api.Approval
		want      string // reason of the blocker; none when it is approved
	}{
		"none":                      {nil, api.ReasonApprovalMissing},
		"good":                      {[]api.Approval{good(nil)}, ""},
		"the second is good":        {[]api.Approval{good(func(a *api.Approval) { a.Spec.ExpiresAt = metav1.NewTime(now) }), good(nil)}, ""},
		"expired":                   {[]api.Approval{good(func(a *api.Approval) { a.Spec.ExpiresAt = metav1.NewTime(now) })}, api.ReasonApprovalExpired},
		"too old":                   {[]api.Approval{good(func(a *api.Approval) { a.CreationTimestamp = metav1.NewTime(now.Add(-31 * time.Minute)) })}, api.ReasonApprovalExpired},
		"of another operation":      {[]api.Approval{good(func(a *api.Approval) { a.Spec.Operation.Name = "other" })}, api.ReasonApprovalMissing},
		"of another kind":           {[]api.Approval{good(func(a *api.Approval) { a.Spec.Operation.Kind = "Failover" })}, api.ReasonApprovalMissing},
		"of another plan":           {[]api.Approval{good(func(a *api.Approval) { a.Spec.PlanDigest = "sha256:2" })}, api.ReasonApprovalMissing},
		"by the requester":          {[]api.Approval{good(func(a *api.Approval) { a.Spec.Approver = "alice" })}, api.ReasonApprovalMissing},
		"by nobody":                 {[]api.Approval{good(func(a *api.Approval) { a.Spec.Approver = "" })}, api.ReasonApprovalMissing},
		"with another requester":    {[]api.Approval{good(func(a *api.Approval) { a.Spec.Requester = "carol" })}, api.ReasonApprovalMissing},
		"of an older one so called": {[]api.Approval{good(func(a *api.Approval) { a.CreationTimestamp = metav1.NewTime(now.Add(-2 * time.Hour)) })}, api.ReasonApprovalMissing},
		"being deleted":             {[]api.Approval{good(func(a *api.Approval) { a.DeletionTimestamp = &metav1.Time{Time: now} })}, api.ReasonApprovalMissing},
	} {
		t.Run(name, func(t *testing.T) {
			approval, blocker := approved(c.approvals, of, now)
			switch {
			case c.want == "" && (approval == nil || blocker != nil):
				t.Errorf("refused: %+v", blocker)
			case c.want != "" && (approval != nil || blocker == nil || blocker.Reason != c.want || !blocker.Waivable):
				t.Errorf("got %+v, %+v", approval, blocker)
			}
		})
	}
}

func TestWaive(t *testing.T) {
	all := []api.Blocker{{Reason: api.ReasonApprovalMissing, Waivable: true}, {Reason: api.ReasonQuorumAtRisk}, {Reason: api.ReasonWindowClosed, Waivable: true}}
	if left, waived := waive(all, nil); len(left) != 3 || waived != nil {
		t.Errorf("without break-glass: %v, %v", left, waived)
	}
	if left, waived := waive(all, &api.BreakGlass{}); len(left) != 1 || left[0].Reason != api.ReasonQuorumAtRisk || len(waived) != 2 {
		t.Errorf("with break-glass: %v, %v", left, waived)
	}
}

func TestMerge(t *testing.T) {
	got := merge([]api.Blocker{{Reason: "A", Message: "one", Waivable: true}, {Reason: "B"}, {Reason: "A", Message: strings.Repeat("x", 2000)}})
	if len(got) != 2 || got[0].Waivable || !strings.HasPrefix(got[0].Message, "one; x") || len([]rune(got[0].Message)) != maxMessage {
		t.Errorf("got %+v", got)
	}
}

func TestExpired(t *testing.T) {
	asked := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	person, safety := api.Blocker{Waivable: true}, api.Blocker{}
	for name, c := range map[string]struct {
		left  []api.Blocker
		after time.Duration
		want  bool
	}{
		"a person has a day":     {[]api.Blocker{person}, 24 * time.Hour, false},
		"and no more":            {[]api.Blocker{person}, 24*time.Hour + 1, true},
		"safety has an hour":     {[]api.Blocker{safety}, time.Hour, false},
		"and no more, either":    {[]api.Blocker{safety}, time.Hour + 1, true},
		"the shorter one counts": {[]api.Blocker{safety, person}, 2 * time.Hour, true},
	} {
		if got := expired(c.left, asked, asked.Add(c.after)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
