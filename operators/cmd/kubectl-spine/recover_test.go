// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

const incident = "--reason=INC0012345: memory grows"

var restart = []string{"recover", "RestartRolling", "spine", "--part", "broker", incident}

// manager plans what it is asked for and runs it at once.
func manager(plan *api.Plan, held ...api.Blocker) func(client.Client, *api.ServiceRecovery) {
	return func(c client.Client, o *api.ServiceRecovery) {
		if isDryRun(o) {
			phase := api.PhasePlanned
			if len(held) > 0 {
				phase = api.PhaseBlocked
			}
			report(c, o, api.OperationStatus{Phase: phase, Plan: plan, Blockers: held})
			return
		}
		status := api.OperationStatus{Phase: api.PhaseSucceeded, Plan: plan, Message: "every member of the broker is new and well", EndedAt: ago(0)}
		for _, s := range plan.Steps {
			status.Steps = append(status.Steps, api.StepStatus{Name: s.Name, State: api.StepSucceeded, Message: "it is ready", StartedAt: ago(4 * time.Minute), EndedAt: ago(3 * time.Minute)})
		}
		report(c, o, status)
	}
}

func stored(t *testing.T, w *world, name string) *api.ServiceRecovery {
	t.Helper()
	o := &api.ServiceRecovery{}
	if err := w.client.Get(t.Context(), client.ObjectKey{Namespace: messagingNamespace, Name: name}, o); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestRecover(t *testing.T) {
	quorum := api.Blocker{Reason: api.ReasonQuorumAtRisk, Message: "the broker has 2 of 3 members: one more down would cost its quorum. Bring spine-broker-server-1 back first."}
	window := api.Blocker{Reason: api.ReasonWindowClosed, Message: "the change window is open on weekdays from 20:00 to 22:00 Europe/London", Waivable: true}
	approval := api.Blocker{Reason: api.ReasonApprovalMissing, Message: "nobody else has approved this plan", Waivable: true}
	lossy := aPlan(func(p *api.Plan) {
		p.PointOfNoReturn, p.NeedsApproval = "restart-broker-1", true
		p.PredictedLoss = api.Loss{Messages: 14, Seconds: 3}
		p.Steps[1].Destructive = true
	})
	unplanned := api.Blocker{Reason: api.ReasonTargetNotFound, Message: "there is no such part"}

	for name, test := range map[string]struct {
		plan  *api.Plan
		held  []api.Blocker
		args  []string
		stdin string
		code  int
		ran   bool
	}{
		"agreed":               {plan: aPlan(), stdin: "spine\n", code: exitWell, ran: true},
		"not-agreed":           {plan: aPlan(), stdin: "spin\n", code: exitError},
		"lossy":                {plan: lossy, stdin: "\n", code: exitError},
		"plan-only":            {plan: aPlan(), args: []string{"--dry-run"}, code: exitWell},
		"blocked":              {plan: aPlan(), held: []api.Blocker{quorum, window}, stdin: "spine\n", code: exitWrong},
		"blocked-break-glass":  {plan: aPlan(), held: []api.Blocker{quorum, window}, args: []string{"--break-glass=agreed by the duty manager"}, stdin: "spine\n", code: exitWrong},
		"break-glass":          {plan: aPlan(), held: []api.Blocker{window}, args: []string{"--break-glass=agreed by the duty manager"}, stdin: "spine\n", code: exitWell, ran: true},
		"approval-is-waited":   {plan: lossy, held: []api.Blocker{approval}, stdin: "spine\n", code: exitWell, ran: true},
		"blocked-without-plan": {held: []api.Blocker{unplanned}, code: exitWrong},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(wellSite()...)
			w.play, w.stdin = manager(test.plan, test.held...), test.stdin
			out, errs, code := w.run(append(restart, test.args...)...)
			if code != test.code {
				t.Errorf("exit code %d, want %d: %s", code, test.code, errs)
			}
			o := stored(t, w, "restart-rolling-spine-x7k2p")
			if isDryRun(o) == test.ran || test.ran && o.Spec.PlanDigest != digest {
				t.Errorf("it ran: %v, with digest %q; should have: %v", !isDryRun(o), o.Spec.PlanDigest, test.ran)
			}
			if o.Spec.RequestedBy != "amy" || o.Spec.Reason != "INC0012345: memory grows" || o.Spec.Part != api.PartBroker || o.Spec.Service.Kind != "MessagingService" {
				t.Errorf("asked for %+v", o.Spec)
			}
			if broken := o.Spec.BreakGlass != nil; broken != (name == "break-glass") {
				t.Errorf("break-glass: %v", o.Spec.BreakGlass)
			}
			// What the person types is shown by the terminal, not by the program.
			const prompt = "name of its target, spine: "
			expectScreen(t, "recover-"+name+".txt", strings.Replace(out, prompt, prompt+test.stdin, 1)+errs)
		})
	}
}

func TestRecoverWithoutATerminal(t *testing.T) {
	w := newWorld(wellSite()...)
	w.terminal, w.play = false, manager(aPlan())
	_, errs, code := w.run(restart...)
	if code != exitError || !strings.Contains(errs, "give --yes") || w.writes.Load() != 0 {
		t.Errorf("exit code %d, %d writes: %s", code, w.writes.Load(), errs)
	}
	out, errs, code := w.run(append(restart, "--yes", "-o", "json")...)
	var o api.ServiceRecovery
	if err := json.Unmarshal([]byte(out), &o); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if code != exitWell || o.Status.Phase != api.PhaseSucceeded || o.Kind != "ServiceRecovery" || !strings.Contains(errs, "DIGEST") {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
}

// The plan that the manager makes for the real run is another one than was agreed to.
func TestRecoverWhenThePlanChanged(t *testing.T) {
	w := newWorld(wellSite()...)
	w.stdin = "spine\n"
	plan := manager(aPlan())
	w.play = func(c client.Client, o *api.ServiceRecovery) {
		if isDryRun(o) {
			plan(c, o)
			return
		}
		report(c, o, api.OperationStatus{Phase: api.PhaseBlocked, Plan: aPlan(func(p *api.Plan) { p.Digest = otherDigest }),
			Blockers: []api.Blocker{{Reason: api.ReasonPlanChanged, Message: "the image changed since"}}})
	}
	out, errs, code := w.run(restart...)
	if code != exitWrong || !strings.Contains(out, "PlanChanged: the image changed since") || !strings.Contains(errs, "blocked: nothing was changed") {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
}

func TestRecoverRefusesBeforeAnythingIsMade(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		says []string
	}{
		"unknown action": {[]string{"RestartRoling", "spine", incident}, []string{`there is no action "RestartRoling": did you mean RestartRolling?`}},
		"all at once": {[]string{"RestartRolling", "spine", "--supplier", "x", "--reason", "short"},
			[]string{"--part is needed by RestartRolling", "--supplier has no meaning for RestartRolling", "--reason is needed for the record, 8 to 500"}},
		"unknown host":           {[]string{"DrainHost", "bb", incident}, []string{`there is no host "bb": did you mean b?`}},
		"no host":                {[]string{"FenceHost", incident}, []string{"FenceHost needs the name of a host"}},
		"unknown service":        {[]string{"RebuildBroker", "spin", incident}, []string{`did you mean spine?`}},
		"a service without":      {[]string{"RebuildBroker", "ers", incident}, []string{`there is no service for RebuildBroker "ers": choose one of spine`}},
		"several services":       {[]string{"RestartRolling", "--part", "Database", incident}, []string{"RestartRolling can be on several services: say spine-messaging/spine or spine-booking/ers"}},
		"unknown part":           {[]string{"RestartRolling", "spine", "--part", "gatway", incident}, []string{`there is no part "gatway": did you mean Gateway?`}},
		"a part of another":      {[]string{"RestartRolling", "ers", "--part", "Broker", incident}, []string{"a BookingService has no Broker: choose Database or Service"}},
		"unknown supplier":       {[]string{"QuarantineSupplier", "spine", "--supplier", "example-pharmcy", incident}, []string{"did you mean example-pharmacy?"}},
		"instance of another":    {[]string{"RebuildReplica", "spine", "--instance", "ers-db-1", incident}, []string{`"ers-db-1" is none of spine: its database's instances are named spine-db-1 and so on, its broker's spine-broker-server-0`}},
		"no broker":              {[]string{"RebuildReplica", "ers", "--instance", "ers-broker-server-1", incident}, []string{`"ers-broker-server-1" is none of ers: its database's instances are named ers-db-1`}},
		"too many replicas":      {[]string{"ScaleOut", "spine", "--replicas", "21", incident}, []string{"--replicas: 21 is not between 2 and 20"}},
		"no replicas":            {[]string{"ScaleOut", "spine", incident}, []string{"--replicas is needed by ScaleOut"}},
		"break-glass of nothing": {[]string{"RebuildBroker", "spine", "--break-glass", "x", incident}, []string{"--break-glass takes the reason"}},
		"a loss of another":      {[]string{"RebuildBroker", "spine", "--accept-unknown-loss", "the duty manager agreed", incident}, []string{"--accept-unknown-loss has no meaning for RebuildBroker"}},
		"a loss of nothing":      {[]string{"ResyncStandby", "spine", "--accept-unknown-loss", "x", incident}, []string{"--accept-unknown-loss takes the reason for it, 8 to 500 characters"}},
		"nothing":                {nil, []string{"accepts between 1 and 2 arg(s)"}},
		"unknown flag":           {[]string{"RebuildBroker", "--force"}, []string{"unknown flag: --force"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(wellSite()...)
			_, errs, code := w.run(append([]string{"recover"}, test.args...)...)
			for _, says := range test.says {
				if !strings.Contains(errs, says) {
					t.Errorf("it does not say %q: %s", says, errs)
				}
			}
			if code != exitError || w.writes.Load() != 0 {
				t.Errorf("exit code %d, %d writes", code, w.writes.Load())
			}
		})
	}
}

func TestRecoverFindsItsTarget(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"rebuildbroker", "spine-messaging/rebuild-broker-spine-x7k2p"},
		{"RebuildBroker messagingservice/spine", "spine-messaging/rebuild-broker-spine-x7k2p"},
		{"RestartRolling spine-booking/ers --part service", "spine-booking/restart-rolling-ers-x7k2p"},
		{"ScaleOut -n spine-booking --replicas 4", "spine-booking/scale-out-ers-x7k2p"},
		{"FenceHost b", "spine-system/fence-host-b-x7k2p"},
		{"RebuildReplica ers --instance ers-db-2", "spine-booking/rebuild-replica-ers-x7k2p"},
		{"RebuildReplica spine --instance spine-broker-server-2", "spine-messaging/rebuild-replica-spine-x7k2p"},
		{"RestoreDatabase spine --to 2026-11-22T14:05:00Z", "spine-messaging/restore-database-spine-x7k2p"},
		{"RestoreDatabase ers --to 2026-11-22T14:05:00Z", "spine-booking/restore-database-ers-x7k2p"},
		{"ReplayDeadLetters spine --supplier example-gp", "spine-messaging/replay-dead-letters-spine-x7k2p"},
	} {
		w := newWorld(wellSite()...)
		w.play = manager(aPlan())
		out, errs, code := w.run(append(append([]string{"recover"}, strings.Fields(test.args)...), incident, "--dry-run")...)
		if code != exitWell || !strings.Contains(out, "OPERATION   "+test.want) {
			t.Errorf("%s: exit code %d: %s%s", test.args, code, out, errs)
		}
	}
}

func TestRecoverRefusedByTheServer(t *testing.T) {
	recoveries := schema.GroupResource{Group: api.GroupVersion.Group, Resource: "servicerecoveries"}
	for name, test := range map[string]struct {
		err  error
		says string
	}{
		"no rights": {apierrors.NewForbidden(recoveries, "", errors.New("no")),
			"you may not create ServiceRecoveries in spine-messaging at site site-a: ask for a binding of the role spine-responder to act"},
		"not known":  {apierrors.NewGenericServerResponse(404, "post", recoveries, "", "404 page not found", 0, true), "does not know the kind: the platform is not installed"},
		"logged out": {apierrors.NewUnauthorized("expired"), "does not know you: your credentials are wrong or have expired"},
		"silent":     {context.DeadlineExceeded, "does not answer (https://10.90.0.100:6443): nothing within 5s"},
		"other":      {fmt.Errorf("etcdserver: leader changed\nmore"), "cannot create ServiceRecoveries in spine-messaging at site site-a: etcdserver: leader changed\n"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(wellSite()...)
			w.client = interceptor.NewClient(w.client, interceptor.Funcs{Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
				if _, ok := o.(*api.ServiceRecovery); ok {
					return test.err
				}
				return c.Create(ctx, o, opts...)
			}})
			if _, errs, code := w.run(restart...); code != exitError || !strings.Contains(errs, test.says) {
				t.Errorf("exit code %d: %s", code, errs)
			}
		})
	}
}
