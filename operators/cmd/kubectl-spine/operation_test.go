// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gotest.tools/v3/golden"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

func TestApprove(t *testing.T) {
	dry := func(o *api.ServiceRecovery) { o.Spec.DryRun, o.Status.Phase = ptr.To(true), api.PhasePlanned }
	for name, test := range map[string]struct {
		user, digest, stdin string
		change              func(*api.ServiceRecovery)
		code                int
		says                string
	}{
		"agreed":        {"ben", digest, "spine\n", dry, exitWell, "Approved as ben until 04:02:11 UTC on 7 March 2026"},
		"not agreed":    {"ben", digest, "no\n", dry, exitError, "not confirmed. Nothing was approved."},
		"another plan":  {"ben", otherDigest, "spine\n", dry, exitWrong, "its digest is " + digest},
		"one's own":     {"amy", digest, "spine\n", dry, exitWrong, "You (amy) asked for this operation yourself"},
		"ended":         {"ben", digest, "spine\n", func(o *api.ServiceRecovery) { o.Status.Phase = api.PhaseAborted }, exitWrong, "ended already (Aborted)"},
		"no plan":       {"ben", digest, "spine\n", func(o *api.ServiceRecovery) { o.Status.Plan = nil }, exitWrong, "has no plan"},
		"not a digest":  {"ben", "2c26b46b", "spine\n", dry, exitError, `--digest: "2c26b46b" is not a plan's digest`},
		"digest needed": {"ben", "", "spine\n", dry, exitError, `--digest: ""`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(operation("restart-x", api.ActionRestartRolling, test.change))
			w.user, w.stdin = test.user, test.stdin
			out, errs, code := w.run("approve", "restart-x", "--digest", test.digest)
			if code != test.code || !strings.Contains(out+errs, test.says) {
				t.Errorf("exit code %d: %s%s", code, out, errs)
			}
			var list api.ApprovalList
			if err := w.client.List(t.Context(), &list); err != nil {
				t.Fatal(err)
			}
			if (len(list.Items) == 1) != (test.code == exitWell) {
				t.Fatalf("%d approvals", len(list.Items))
			}
			if len(list.Items) == 1 {
				got := list.Items[0].Spec
				want := api.ApprovalSpec{Operation: api.OperationRef{Kind: "ServiceRecovery", Name: "restart-x"}, PlanDigest: digest, Approver: "ben", Requester: "amy"}
				if !got.ExpiresAt.Time.Equal(now.Add(time.Hour)) {
					t.Errorf("expires at %s", got.ExpiresAt)
				}
				if got.ExpiresAt = (metav1.Time{}); got != want {
					t.Errorf("got %+v", got)
				}
			}
		})
	}
}

// A run that a person follows: steps, what they wait for, a blocker that passes, the end.
func TestWatch(t *testing.T) {
	for name, test := range map[string]struct {
		end  api.OperationStatus
		code int
	}{
		"succeeded": {api.OperationStatus{Phase: api.PhaseSucceeded, Message: "every member is new and well"}, exitWell},
		"failed": {api.OperationStatus{Phase: api.PhaseFailed, Message: "step restart-broker-1: timed out after 600 s",
			Blockers: []api.Blocker{{Reason: api.ReasonStepUncertain, Message: "step restart-broker-1: timed out after 600 s"}}}, exitWrong},
		"aborted": {api.OperationStatus{Phase: api.PhaseAborted, Message: "asked for by ben"}, exitWrong},
	} {
		t.Run(name, func(t *testing.T) {
			o := operation("restart-x", api.ActionRestartRolling)
			done := api.StepStatus{Name: "restart-broker-2", State: api.StepSucceeded, Message: "it is ready", StartedAt: ago(3 * time.Minute), EndedAt: ago(2 * time.Minute)}
			stages := []api.OperationStatus{
				{Phase: api.PhaseBlocked, Plan: aPlan(), ObservedGeneration: 2, Message: "the last operation on it ended 20 s ago",
					Blockers: []api.Blocker{{Reason: api.ReasonCoolingDown, Message: "the last operation on it ended 20 s ago"}}},
				{Phase: api.PhaseAwaitingApproval, Plan: aPlan(), Blockers: []api.Blocker{{Reason: api.ReasonApprovalMissing, Message: "nobody else has approved this plan", Waivable: true}}},
				{Phase: api.PhaseRunning, Plan: aPlan(), Steps: []api.StepStatus{{Name: "restart-broker-2", State: api.StepRunning, Message: "waits for the pod"}, {Name: "restart-broker-1", State: api.StepPending}}},
				{Phase: api.PhaseRunning, Plan: aPlan(), Steps: []api.StepStatus{done, {Name: "restart-broker-1", State: api.StepRunning}},
					Blockers: []api.Blocker{{Reason: api.ReasonQuorumAtRisk, Message: "the broker has 2 of 3 members"}}},
			}
			test.end.Plan, test.end.Steps = aPlan(), []api.StepStatus{done, {Name: "restart-broker-1", State: api.StepSucceeded, Message: "it is ready", StartedAt: ago(2 * time.Minute), EndedAt: ago(time.Minute)}}
			stages = append(stages, test.end)
			w := newWorld(o)
			out := &strings.Builder{}
			tr := &trace{app: &app{out: out, now: func() time.Time { return now }}}
			for _, s := range stages {
				o.Status = s
				tr.show(o)
				tr.show(o) // what did not change is not told again
			}
			last := stored(t, w, "restart-x")
			report(w.client, last, test.end)
			ended, errs, code := w.run("watch", "restart-x")
			if code != test.code {
				t.Errorf("exit code %d: %s", code, errs)
			}
			expectScreen(t, "watch-"+name+".txt", out.String()+"---\n"+ended+errs)
		})
	}
}

func TestInterruptedAtThePrompt(t *testing.T) {
	held, hold := io.Pipe() // nobody types
	defer hold.Close()
	var out bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := &app{in: held, out: &out, terminal: true}
	if err := a.confirm(ctx, "spine", "run this plan", "Nothing was changed."); err == nil || err.Error() != "not confirmed. Nothing was changed." {
		t.Errorf("got %v", err)
	}
}

func TestWatchUntilTimeout(t *testing.T) {
	w := newWorld(operation("restart-x", api.ActionRestartRolling))
	_, errs, code := w.run("watch", "restart-x", "--timeout", "20ms")
	if code != exitWrong || !strings.Contains(errs, "Watching ended, the operation goes on (Running)") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

func TestWatchSeesChanges(t *testing.T) {
	w := newWorld(operation("restart-x", api.ActionRestartRolling))
	go func() {
		time.Sleep(50 * time.Millisecond) // the watch is open by then, or the next look sees it
		o := &api.ServiceRecovery{}
		if err := w.client.Get(t.Context(), client.ObjectKey{Namespace: messagingNamespace, Name: "restart-x"}, o); err == nil {
			report(w.client, o, api.OperationStatus{Phase: api.PhaseSucceeded})
		}
	}()
	if out, errs, code := w.run("watch", "restart-x"); code != exitWell || !strings.Contains(out, "Succeeded") {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
}

func TestAbort(t *testing.T) {
	ends := func(phase api.Phase) func(client.Client, *api.ServiceRecovery) {
		return func(c client.Client, o *api.ServiceRecovery) {
			if !o.Spec.Abort {
				panic("not aborted")
			}
			report(c, o, api.OperationStatus{Phase: phase})
		}
	}
	for name, test := range map[string]struct {
		change func(*api.ServiceRecovery)
		play   func(client.Client, *api.ServiceRecovery)
		code   int
		says   string
	}{
		"in time":    {func(*api.ServiceRecovery) {}, ends(api.PhaseAborted), exitWell, "Asked to end before its next step."},
		"just ended": {func(*api.ServiceRecovery) {}, ends(api.PhaseFailed), exitWrong, "kubectl spine evidence spine-messaging/restart-x"},
		"too late": {func(o *api.ServiceRecovery) {
			o.Status.Plan.PointOfNoReturn = "restart-broker-2"
			o.Status.Steps = []api.StepStatus{{Name: "restart-broker-2", State: api.StepRunning}}
		}, nil, exitWrong, "Too late: step restart-broker-2 has begun"},
		"ended": {func(o *api.ServiceRecovery) { o.Status.Phase = api.PhaseSucceeded }, nil, exitWrong, "has ended already: Succeeded"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(operation("restart-x", api.ActionRestartRolling, test.change))
			w.play = test.play
			out, errs, code := w.run("abort", "restart-x")
			if code != test.code || !strings.Contains(out+errs, test.says) {
				t.Errorf("exit code %d: %s%s", code, out, errs)
			}
			if w.writes.Load() != 0 && test.play == nil {
				t.Error("it was changed")
			}
		})
	}
}

func TestOperationsAreFound(t *testing.T) {
	twin := operation("restart-x", api.ActionRestartRolling, func(o *api.ServiceRecovery) { o.Namespace = bookingNamespace })
	w := newWorld(operation("restart-x", api.ActionRestartRolling), operation("fence-b", api.ActionFenceHost), twin)
	for args, says := range map[string]string{
		"restart-y":               `there is no operation "restart-y": did you mean restart-x`,
		"restart-x":               "several operations are named restart-x: say spine-booking/restart-x or spine-messaging/restart-x",
		"spine-booking/fence-b":   `there is no operation "fence-b"`,
		"restart-x -n spine-syst": `there is no operation "restart-x"`,
	} {
		if _, errs, code := w.run(append([]string{"watch"}, strings.Fields(args)...)...); code != exitError || !strings.Contains(errs, says) {
			t.Errorf("%s: exit code %d: %s", args, code, errs)
		}
	}
}

func TestEvidence(t *testing.T) {
	o := operation("restart-x", api.ActionRestartRolling, func(o *api.ServiceRecovery) {
		o.Spec.Part = api.PartBroker
		o.Spec.BreakGlass = &api.BreakGlass{Reason: "agreed by the duty manager"}
		o.Status.Phase, o.Status.Message, o.Status.FencingToken = api.PhaseSucceeded, "every member is new | and well", 7
		o.Status.StartedAt, o.Status.EndedAt, o.Status.Approval = ago(4*time.Minute), ago(time.Minute), "yes-1 by ben"
		for i, s := range o.Status.Plan.Steps {
			o.Status.Steps = append(o.Status.Steps, api.StepStatus{Name: s.Name, State: api.StepSucceeded, Acts: 1, Message: "it is ready",
				StartedAt: ago(time.Duration(4-i) * time.Minute), EndedAt: ago(time.Duration(3-i) * time.Minute)})
		}
		o.Status.Evidence = &api.Evidence{MeasuredLoss: &api.Loss{}, BacklogBefore: ptr.To[int64](1204), BacklogAfter: ptr.To[int64](12),
			RecoverySeconds: ptr.To[int64](182), Notes: []string{"the deep probe never failed"}}
	})
	yes := &api.Approval{ObjectMeta: metav1.ObjectMeta{Name: "yes-1", Namespace: messagingNamespace}, Spec: api.ApprovalSpec{
		Operation: api.OperationRef{Kind: "ServiceRecovery", Name: "restart-x"}, PlanDigest: digest, Approver: "ben", Requester: "amy", ExpiresAt: *ago(-time.Hour)}}
	event := func(name, of string) *corev1.Event {
		return &corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: messagingNamespace}, Type: "Normal", Reason: "StepSucceeded",
			Message: name, LastTimestamp: *ago(time.Minute), InvolvedObject: corev1.ObjectReference{Kind: "ServiceRecovery", Namespace: messagingNamespace, Name: of}}
	}
	w := newWorld(o, yes, event("step restart-broker-2 is done", "restart-x"), event("not ours", "restart-y"))
	out, errs, code := w.run("evidence", "restart-x")
	if code != exitWell {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	// A page for a file has no width.
	golden.Assert(t, out, "evidence.md")

	folder := t.TempDir()
	file := filepath.Join(folder, "INC0012345.json")
	if out, errs, code = w.run("evidence", "restart-x", "-f", file); code != exitWell {
		t.Fatalf("exit code %d: %s%s", code, out, errs)
	}
	text, err := os.ReadFile(file)
	var r record
	if err = errors.Join(err, json.Unmarshal(text, &r)); err != nil || len(r.Approvals) != 1 || len(r.Events) != 1 || r.ReadBy != "amy" || r.Status.Evidence == nil {
		t.Errorf("%v: %s", err, text)
	}
	for args, says := range map[string]string{file: "exists, and is not overwritten", filepath.Join(folder, "x.doc"): "does not end in .md, .json or .yaml"} {
		if _, errs, code = w.run("evidence", "restart-x", "-f", args); code != exitError || !strings.Contains(errs, says) {
			t.Errorf("exit code %d: %s", code, errs)
		}
	}
}
