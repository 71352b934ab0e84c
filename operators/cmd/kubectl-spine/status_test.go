// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

func TestStatusScreens(t *testing.T) {
	missing := metav1.Condition{Type: common.ConditionRedundancy, Status: metav1.ConditionFalse, Reason: common.ReasonMembersMissing,
		Message: "the database has 2 of 3 members, the broker has 2 of 3 members", LastTransitionTime: *ago(4 * time.Minute)}
	hostLost := messaging(missing)
	hostLost.Status.Redundancy.Summary = "2/3 db, 2/3 broker, 2/2 gateway"
	cordoned := host("c", "r3", true)
	cordoned.Spec.Unschedulable = true
	fenced := host("b", "r2", false)
	fenced.Spec.Unschedulable = true
	fenced.Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeOutOfService, Value: "nodeshutdown", Effect: corev1.TaintEffectNoExecute}}

	down := messaging(
		metav1.Condition{Type: common.ConditionReady, Status: metav1.ConditionFalse, Reason: common.ReasonDatabaseUnavailable, Message: "Database: no primary"},
		metav1.Condition{Type: common.ConditionDatabase, Status: metav1.ConditionFalse, Reason: common.ReasonDatabaseUnavailable,
			Message: "no primary with a standby that makes its writes durable: Failing over", LastTransitionTime: *ago(90 * time.Second)},
		metav1.Condition{Type: common.ConditionProgressing, Status: metav1.ConditionTrue, Reason: common.ReasonStateUnknown, Message: "tried again"})
	down.Status.MessagesAtRisk = "unknown"
	stale := booking()
	stale.Status.Probe.LastTime = ago(11 * time.Minute)

	// Every condition of one that sleeps has its reason, and nobody has probed it for hours.
	sleeper := func(phase common.SleepPhase, ready metav1.ConditionStatus) client.Object {
		b := booking(metav1.Condition{Type: common.ConditionReady, Status: ready, Reason: common.ReasonAsleep},
			metav1.Condition{Type: common.ConditionRedundancy, Status: metav1.ConditionUnknown, Reason: common.ReasonAsleep},
			metav1.Condition{Type: common.ConditionProgressing, Status: metav1.ConditionTrue, Reason: common.ReasonChanging})
		b.Status.Sleep = &common.SleepStatus{Phase: phase, Since: *ago(9 * time.Hour)}
		b.Status.Redundancy.Summary, b.Status.Probe.LastTime = "0/3 db, 0/2 service", ago(9*time.Hour)
		return b
	}
	falling := sleeper(common.SleepFalling, metav1.ConditionFalse)
	falling.SetName("ers-2")

	// Where a service stands by, no program runs that could be probed.
	standby := messaging(metav1.Condition{Type: common.ConditionReady, Status: metav1.ConditionTrue, Reason: common.ReasonStandingBy},
		metav1.Condition{Type: common.ConditionGateway, Status: metav1.ConditionFalse, Reason: common.ReasonStandingBy, Message: "no gateway runs: this site is Standby"},
		metav1.Condition{Type: common.ConditionDeepProbe, Status: metav1.ConditionUnknown, Reason: common.ReasonStandingBy})
	standby.Status.Redundancy.Summary, standby.Status.Probe.LastTime = "3/3 db, 3/3 broker, 0/0 gateway", ago(9*time.Hour)
	lacking := booking(metav1.Condition{Type: common.ConditionReady, Status: metav1.ConditionFalse, Reason: common.ReasonStandingBy,
		Message: "the service stands by and could not take over: the database lacks members"})

	running := operation("restart-rolling-spine-x7k2p", api.ActionRestartRolling, func(o *api.ServiceRecovery) {
		o.Spec.Part = api.PartBroker
		o.Status.Steps = []api.StepStatus{{Name: "restart-broker-2", State: api.StepSucceeded}, {Name: "restart-broker-1", State: api.StepRunning}}
	})
	waits := operation("rebuild-broker-spine-q1w2e", api.ActionRebuildBroker, func(o *api.ServiceRecovery) {
		o.Status.Phase = api.PhaseAwaitingApproval
		o.Status.Blockers = []api.Blocker{{Reason: api.ReasonApprovalMissing, Message: "nobody else has approved this plan", Waivable: true}}
	})
	failed := operation("scale-out-spine-aaaaa", api.ActionScaleOut, func(o *api.ServiceRecovery) {
		o.Spec.Replicas = 4
		o.Status.Phase, o.Status.EndedAt, o.Status.Message = api.PhaseFailed, ago(2*time.Hour), "step scale: timed out after 600 s"
	})
	mended := operation("scale-out-spine-bbbbb", api.ActionRebuildReplica, func(o *api.ServiceRecovery) {
		o.Spec.Instance, o.CreationTimestamp = "spine-db-2", *ago(3 * time.Hour)
		o.Status.Phase, o.Status.EndedAt = api.PhaseFailed, ago(2*time.Hour)
	})
	mending := operation("scale-out-spine-ccccc", api.ActionRebuildReplica, func(o *api.ServiceRecovery) {
		o.Spec.Instance = "spine-db-2"
		o.Status.Phase = api.PhaseSucceeded
	})
	oldPlan := operation("drain-host-b-ddddd", api.ActionDrainHost, func(o *api.ServiceRecovery) {
		dry := true
		o.Spec.DryRun, o.CreationTimestamp, o.Status.Phase = &dry, *ago(2 * time.Hour), api.PhasePlanned
	})

	warning := func(name, reason string, age time.Duration) *corev1.Event {
		return &corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: systemNamespace}, Type: corev1.EventTypeWarning, Reason: reason,
			Message: "host b has failed: no answer for 31 s; its management controller does not say whether it has power", EventTime: metav1.MicroTime{Time: now.Add(-age)},
			InvolvedObject: corev1.ObjectReference{Kind: "Deployment", Namespace: systemNamespace, Name: "spine-manager"}}
	}
	notFenced := append(wellSite(), warning("a", api.ReasonHostUnmanaged, time.Minute), warning("b", api.ReasonHostUnmanaged, 4*time.Minute),
		warning("c", api.ReasonManyHostsDown, 7*time.Minute), warning("d", "LeaderElection", 0))

	for name, test := range map[string]struct {
		objects []client.Object
		code    int
	}{
		"not-fenced": {notFenced, exitWrong},
		"well":       {wellSite(), exitWell},
		"host-lost":  {[]client.Object{host("a", "r1", true), fenced, cordoned, hostLost, booking(), oldPlan}, exitWrong},
		"outage":     {[]client.Object{host("a", "r1", true), host("b", "r2", false), host("c", "r3", false), down, stale}, exitWrong},
		"operations": {append(wellSite(), running, waits, failed, mended, mending), exitWrong},
		"empty":      {nil, exitWell},
		"standby":    {[]client.Object{host("a", "r1", true), standby, lacking}, exitWrong},
		"asleep":     {[]client.Object{host("a", "r1", true), messaging(), sleeper(common.SleepAsleep, metav1.ConditionTrue), falling}, exitWell},
	} {
		t.Run(name, func(t *testing.T) {
			out, errs, code := newWorld(test.objects...).run("status")
			if code != test.code || errs != "" {
				t.Errorf("exit code %d, want %d; %s", code, test.code, errs)
			}
			expectScreen(t, "status-"+name+".txt", out)
		})
	}
}

// dead is a client of a site that never answers.
func deadClient(err error) client.WithWatch {
	w := newWorld()
	return interceptor.NewClient(w.client, interceptor.Funcs{List: func(ctx context.Context, _ client.WithWatch, _ client.ObjectList, _ ...client.ListOption) error {
		if err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}})
}

func TestStatusOfTwoSitesOfWhichOneIsDead(t *testing.T) {
	t.Parallel()
	w := newWorld(wellSite()...)
	w.sites = map[string]*site{"site-b": {name: "site-b", server: "https://10.91.0.100:6443", client: deadClient(nil)}}
	begin := time.Now()
	out, errs, code := w.run("status", "--contexts", "site-a,site-b")
	if took := time.Since(begin); took > requestTimeout+time.Second {
		t.Errorf("it took %s", took)
	}
	if code != exitWrong || errs != "" {
		t.Errorf("exit code %d: %s", code, errs)
	}
	expectScreen(t, "status-one-dead.txt", out)
}

func TestStatusOfNoSite(t *testing.T) {
	w := newWorld()
	refused := errors.New("Get \"https://10.90.0.100:6443/api/v1/nodes\": dial tcp 10.90.0.100:6443: connect: connection refused")
	w.sites = map[string]*site{"": {name: "site-a", server: "https://10.90.0.100:6443", client: deadClient(refused)}}
	_, errs, code := w.run("status")
	if code != exitError || !strings.Contains(errs, "site site-a does not answer (https://10.90.0.100:6443)") || !strings.Contains(errs, "connection refused") {
		t.Errorf("exit code %d: %s", code, errs)
	}
	if _, errs, code = w.run("status", "--contexts", "site-a,siteb"); code != exitError || !strings.Contains(errs, `there is no context "siteb": did you mean site-b or site-a?`) {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// A real server that accepts connections and says nothing: the deadline holds there too.
func TestStatusOfASilentServer(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	defer server.Close()
	defer close(hang)
	a := newApp(os.Stdin, os.Stdout, os.Stderr)
	a.flags = genericclioptions.NewConfigFlags(true)
	a.flags.APIServer = &server.URL
	empty := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(empty, []byte("apiVersion: v1\nkind: Config\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a.flags.KubeConfig = &empty
	begin := time.Now()
	_, err := a.status(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("got %v", err)
	}
	if took := time.Since(begin); took > requestTimeout+2*time.Second {
		t.Errorf("it took %s", took)
	}
}

// Whoever may read the platform's namespaces only sees them; what nobody lets them read is
// said, and is not well.
func TestStatusWithFewRights(t *testing.T) {
	w := newWorld(wellSite()...)
	nodes := schema.GroupResource{Resource: "nodes"}
	w.client = interceptor.NewClient(w.client, interceptor.Funcs{List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
		o := &client.ListOptions{}
		o.ApplyOptions(opts)
		if o.Namespace == "" || o.Namespace == systemNamespace {
			return apierrors.NewForbidden(nodes, "", errors.New(`User "amy" cannot list`))
		}
		return c.List(ctx, list, opts...)
	}})
	out, _, code := w.run("status")
	if code != exitWrong {
		t.Errorf("exit code %d", code)
	}
	expectScreen(t, "status-few-rights.txt", out)
}

func TestStatusWithoutThePlatform(t *testing.T) {
	w := newWorld(host("a", "r1", true))
	w.client = interceptor.NewClient(w.client, interceptor.Funcs{List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
		if gvk, _ := c.GroupVersionKindFor(list); gvk.Group != "" {
			return apierrors.NewGenericServerResponse(404, "get", schema.GroupResource{}, "", "404 page not found", 0, true)
		}
		return c.List(ctx, list, opts...)
	}})
	out, _, code := w.run("status")
	if code != exitWrong || !strings.Contains(strings.Join(strings.Fields(out), " "), "does not know the kind: the platform is not installed there") {
		t.Errorf("exit code %d: %s", code, out)
	}
}

func TestStatusForPrograms(t *testing.T) {
	out, _, code := newWorld(append(wellSite(), host("d", "r1", false))...).run("status", "-o", "json")
	var r statusReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if code != exitWrong || r.Well || len(r.Sites) != 1 || len(r.Sites[0].Hosts) != 4 || r.Sites[0].Problems[0].Page != "kubectl spine explain MembersMissing" {
		t.Errorf("exit code %d: %s", code, out)
	}
	if out, _, _ = newWorld(wellSite()...).run("status", "-o", "yaml"); !strings.HasPrefix(out, "at: \"2026-03-07T03:02:11Z\"\n") {
		t.Errorf("got %s", out)
	}
	if _, errs, code := newWorld().run("status", "-o", "xml"); code != exitError || !strings.Contains(errs, `--output: "xml" is not one of table, json or yaml`) {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

func TestColoursAreOnlyForTerminals(t *testing.T) {
	if out, _, _ := newWorld(host("a", "r1", false)).run("status"); strings.Contains(out, "\x1b") {
		t.Errorf("escape codes without a terminal: %q", out)
	}
	a := &app{color: true, now: time.Now}
	r := statusReport{Sites: []siteStatus{{Answers: true, Hosts: []hostStatus{{Name: "a", State: "NOT READY"}}}}}
	if out := a.statusScreen(r); !strings.Contains(out, toneBad+"NOT READY"+toneEnd) {
		t.Errorf("got %q", out)
	}
}
