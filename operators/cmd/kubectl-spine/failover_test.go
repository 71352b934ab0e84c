// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// oneOfTwo is the policy of site b, which stands by.
func oneOfTwo() *api.FailoverPolicy {
	p := &api.FailoverPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: systemNamespace, Name: api.FailoverPolicyName}}
	p.Spec.Site, p.Spec.Peer = "b", "a"
	p.Status.Role, p.Status.Vote = common.SiteStandby, api.SiteVote{Site: "a", Epoch: 7}
	p.Status.Conditions = []metav1.Condition{{
		Type: common.ConditionTakeover, Status: metav1.ConditionFalse, Reason: common.ReasonReplicationBehind,
		Message: "site b does not have all that was acknowledged", LastTransitionTime: *ago(time.Minute),
	}}
	return p
}

func TestFailover(t *testing.T) {
	serving := api.Blocker{Reason: api.ReasonSourceServing, Message: "a may serve until 03:02:31: it has a vote until then"}
	for name, c := range map[string]struct {
		args    []string
		without bool
		held    []api.Blocker
		code    int
		says    []string
		writes  int32
	}{
		"planned, and agreed to":  {args: []string{"Planned"}, writes: 2, says: []string{"PlannedFailover on site b", "Succeeded"}},
		"unplanned, with a limit": {args: []string{"unplanned", "--max-loss-messages", "500", "--max-loss-seconds", "30"}, writes: 2, says: []string{"UnplannedFailover on site b"}},
		"only the plan":           {args: []string{"Planned", "--dry-run"}, writes: 1, says: []string{"Nothing was changed"}},
		"held back": {args: []string{"Unplanned"}, held: []api.Blocker{serving}, code: exitWrong, writes: 1,
			says: []string{"Blocked by SourceServing", "kubectl spine explain SourceServing"}},
		"no such mode":         {args: []string{"Quick"}, code: exitError, says: []string{"Planned"}},
		"planned, with a loss": {args: []string{"Planned", "--max-loss-seconds", "1"}, code: exitError, says: []string{"have no meaning for Planned"}},
		"one site only":        {args: []string{"Planned"}, without: true, code: exitError, says: []string{"it is not one of two"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			if !c.without {
				w = newWorld(oneOfTwo())
			}
			w.stdin, w.play = "b\n", manager(aPlan(), c.held...)
			out, errs, code := w.run(append([]string{"failover", incident}, c.args...)...)
			if code != c.code || w.writes.Load() != c.writes {
				t.Errorf("exit code %d, %d writes", code, w.writes.Load())
			}
			for _, said := range c.says {
				if !strings.Contains(out+errs, said) {
					t.Errorf("it does not say %q:\n%s%s", said, out, errs)
				}
			}
		})
	}
}

// What a program gets is the Failover itself, and what is asked for is what was said.
func TestFailoverAsJSON(t *testing.T) {
	w := newWorld(oneOfTwo())
	w.terminal, w.play = false, manager(aPlan())
	out, errs, code := w.run("failover", "Unplanned", incident, "--yes", "-o", "json", "--max-loss-seconds", "30", "--accept-unknown-loss", "the duty manager agreed")
	var got api.Failover
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 {
		t.Fatalf("exit code %d: %v: %s", code, err, errs)
	}
	if got.Kind != "Failover" || got.Spec.Mode != api.FailoverUnplanned || got.Spec.To != "b" || got.Spec.MaxLoss.Seconds != 30 || got.Spec.AcceptUnknownLoss == nil {
		t.Errorf("got %+v", got.Spec)
	}
	stored := &api.Failover{}
	if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(&got), stored); err != nil || *stored.Spec.DryRun {
		t.Errorf("%v: %+v", err, stored.Spec)
	}
	// The other commands know it too.
	for _, args := range [][]string{{"evidence", stored.Name}, {"watch", stored.Name}} {
		if out, errs, code := w.run(args...); code != 0 || !strings.Contains(out, "Succeeded") {
			t.Errorf("%v: exit code %d: %s%s", args, code, out, errs)
		}
	}
}

func TestStatusOfAPair(t *testing.T) {
	w := newWorld(oneOfTwo())
	out, _, code := w.run("status")
	if code != exitWrong || !strings.Contains(out, "a (epoch 7)") || !strings.Contains(out, "kubectl spine explain ReplicationBehind") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}
