// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"k8s.io/utils/ptr"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

func TestRecoverContinuesAPlannedOperation(t *testing.T) {
	dry := func(o *api.ServiceRecovery) { o.Spec.DryRun, o.Status.Phase = ptr.To(true), api.PhasePlanned }
	full := messagingNamespace + "/restart-x"
	for name, test := range map[string]struct {
		user, stdin string
		change      func(*api.ServiceRecovery)
		args        []string
		code        int
		says        string
		ran         bool
	}{
		"agreed":            {stdin: "spine\n", code: exitWell, ran: true},
		"without a prompt":  {args: []string{"--yes"}, code: exitWell, ran: true},
		"not agreed":        {stdin: "no\n", code: exitError, says: "not confirmed. Nothing was changed."},
		"shown again":       {args: []string{"--dry-run"}, code: exitWell, says: "To run this plan: kubectl spine recover " + full},
		"another person's":  {user: "ben", stdin: "spine\n", code: exitWrong, says: "amy asked for operation " + full + ", and you are ben"},
		"ended":             {change: func(o *api.ServiceRecovery) { o.Status.Phase = api.PhaseAborted }, code: exitWrong, says: "has ended already (Aborted)"},
		"runs":              {change: func(o *api.ServiceRecovery) { o.Spec.DryRun, o.Status.Phase = ptr.To(false), api.PhaseRunning }, code: exitWrong, says: "Follow it: kubectl spine watch " + full},
		"blocked meanwhile": {change: blockedMeanwhile, stdin: "spine\n", code: exitWrong, says: "Blocked by QuorumAtRisk: nothing was changed."},
		"what it says itself": {args: []string{"--reason", "INC0012345: x", "--part", "Gateway", "--replicas", "3"}, code: exitError,
			says: "--reason has no meaning for an operation that exists: what it does cannot change; leave it out, or ask for another one\n--part has no meaning"},
		"break-glass of nothing": {args: []string{"--break-glass", "x"}, code: exitError, says: "--break-glass takes the reason"},
	} {
		t.Run(name, func(t *testing.T) {
			change := test.change
			if change == nil {
				change = dry
			}
			w := newWorld(operation("restart-x", api.ActionRestartRolling, dry, change))
			w.play, w.stdin = manager(aPlan()), test.stdin
			if test.user != "" {
				w.user = test.user
			}
			out, errs, code := w.run(append([]string{"recover", "restart-x"}, test.args...)...)
			if code != test.code || !strings.Contains(out+errs, test.says) {
				t.Errorf("exit code %d, want %d: %s%s", code, test.code, out, errs)
			}
			if o := stored(t, w, "restart-x"); test.ran != (w.writes.Load() > 0) || test.ran && (isDryRun(o) || o.Spec.PlanDigest != digest) {
				t.Errorf("%d writes, dry run %v with digest %q; it should have run: %v", w.writes.Load(), isDryRun(o), o.Spec.PlanDigest, test.ran)
			}
		})
	}
}

func blockedMeanwhile(o *api.ServiceRecovery) {
	o.Status.Phase = api.PhaseBlocked
	o.Status.Blockers = []api.Blocker{{Reason: api.ReasonQuorumAtRisk, Message: "one member is missing"}}
}

func TestNamesOperation(t *testing.T) {
	for line, want := range map[string]bool{
		"restart-rolling-spine-x7k2p": true, "spine-messaging/drain-b": true, "nightly": true,
		"RestartRolling": false, "rebuildbroker": false, "RebuildBrokr": false, "rebuildbrokr": false, "restart-rolling": false, "FenceHost b": false, "x spine": false,
	} {
		if got := namesOperation(strings.Fields(line)); got != want {
			t.Errorf("%s names an operation: %v", line, got)
		}
	}
}

func TestRecoverOfAnUnknownOperation(t *testing.T) {
	w := newWorld(operation("restart-x", api.ActionRestartRolling))
	if _, errs, code := w.run("recover", "restart-y"); code != exitError || !strings.Contains(errs, `there is no operation "restart-y": did you mean restart-x?`) {
		t.Errorf("exit code %d: %s", code, errs)
	}
}
