// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gotest.tools/v3/golden"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	bookingapi "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	messagingapi "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// now is when everything in these tests happens.
var now = time.Date(2026, 3, 7, 3, 2, 11, 0, time.UTC)

func ago(d time.Duration) *metav1.Time { return ptr.To(metav1.NewTime(now.Add(-d))) }

const (
	digest      = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
	otherDigest = "sha256:fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9"
)

// world is a site that needs no cluster, and the person at the terminal.
type world struct {
	client client.WithWatch
	user   string
	// play acts as the manager after each write of an operation, with a client of its own.
	play  func(c client.Client, o *api.ServiceRecovery)
	funcs interceptor.Funcs

	terminal bool
	stdin    string
	logs     map[string]string
	sites    map[string]*site
	writes   atomic.Int32
}

func newWorld(objects ...client.Object) *world {
	w := &world{user: "amy", terminal: true}
	inner := fake.NewClientBuilder().WithScheme(scheme()).WithObjects(objects...).
		WithStatusSubresource(&api.ServiceRecovery{}, &api.Failover{}).Build()
	w.funcs = interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			if review, ok := o.(*authenticationv1.SelfSubjectReview); ok {
				review.Status.UserInfo.Username = w.user
				return nil
			}
			w.writes.Add(1)
			if o.GetName() == "" {
				o.SetName(o.GetGenerateName() + "x7k2p")
			}
			o.SetUID(types.UID("uid-of-" + o.GetName()))
			o.SetGeneration(1)
			err := c.Create(ctx, o, opts...)
			w.manager(c, o, err)
			return err
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			w.writes.Add(1)
			err := c.Patch(ctx, o, p, opts...)
			if err == nil {
				o.SetGeneration(o.GetGeneration() + 1) // which an API server does
				err = c.Update(ctx, o)
			}
			w.manager(c, o, err)
			return err
		},
	}
	w.client = interceptor.NewClient(inner, w.funcs)
	return w
}

func (w *world) manager(c client.Client, o client.Object, err error) {
	if err != nil || w.play == nil {
		return
	}
	switch operation := o.(type) {
	case *api.ServiceRecovery:
		w.play(c, operation.DeepCopy())
	case *api.Failover:
		w.play(c, seen(operation.DeepCopy()))
	}
}

// report writes an operation's status as the manager does.
func report(c client.Client, o *api.ServiceRecovery, status api.OperationStatus) {
	status.ObservedGeneration = o.Generation
	o.Status = status
	object := client.Object(o)
	if kindOf(o) == kindFailover {
		f := &api.Failover{}
		if err := c.Get(context.Background(), client.ObjectKeyFromObject(o), f); err != nil {
			panic(err)
		}
		f.Status, object = status, f
	}
	if err := c.Status().Update(context.Background(), object); err != nil {
		panic(err)
	}
}

// run carries out a command line and returns what it wrote and its exit code.
func (w *world) run(args ...string) (stdout, stderr string, code int) {
	var out, errs bytes.Buffer
	a := &app{
		in: strings.NewReader(w.stdin), out: &out, err: &errs, terminal: w.terminal, now: func() time.Time { return now },
		flags: genericclioptions.NewConfigFlags(true),
	}
	a.flags.Timeout = nil
	a.contexts = func() ([]string, error) { return []string{"site-a", "site-b"}, nil }
	a.connect = func(name string) (*site, error) {
		if s := w.sites[name]; s != nil {
			return s, nil
		}
		if name != "" && name != "site-a" {
			return nil, unknown("context", name, []string{"site-a", "site-b"})
		}
		return w.site("site-a"), nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second) // a command that waits for nothing ends
	defer cancel()
	code = run(ctx, a, args)
	return out.String(), errs.String(), code
}

func (w *world) site(name string) *site {
	return &site{name: name, server: "https://10.90.0.100:6443", client: w.client,
		logs: func(_ context.Context, pod *corev1.Pod, _ string, _ int64) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(w.logs[pod.Name])), nil
		}}
}

// expectScreen compares what is shown with the file of that name, and holds it to its width.
func expectScreen(t *testing.T, name, got string) {
	t.Helper()
	for i, line := range strings.Split(got, "\n") {
		if n := len([]rune(line)); n > screenWidth && !regexp.MustCompile(`sha256:|kubectl spine`).MatchString(line) {
			t.Errorf("%s: line %d has %d characters, more than %d: %s", name, i+1, n, screenWidth, line)
		}
	}
	golden.Assert(t, got, name)
}

func host(name, rack string, ready bool) *corev1.Node {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelTopologyZone: rack}}}
	condition := corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", LastTransitionTime: *ago(76 * time.Hour)}
	if !ready {
		condition.Status, condition.Reason, condition.Message = corev1.ConditionUnknown, "NodeStatusUnknown", "Kubelet stopped posting node status."
		condition.LastTransitionTime = *ago(4 * time.Minute)
	}
	n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeDiskPressure, Status: corev1.ConditionFalse}, condition}
	return n
}

func conditions(changed ...metav1.Condition) []metav1.Condition {
	out := []metav1.Condition{
		{Type: common.ConditionReady, Status: metav1.ConditionTrue, Reason: common.ReasonAsSpecified},
		{Type: common.ConditionProgressing, Status: metav1.ConditionFalse, Reason: common.ReasonAsSpecified},
		{Type: common.ConditionStalled, Status: metav1.ConditionFalse, Reason: common.ReasonNotStalled},
		{Type: common.ConditionDatabase, Status: metav1.ConditionTrue, Reason: common.ReasonAsSpecified},
		{Type: common.ConditionRedundancy, Status: metav1.ConditionTrue, Reason: common.ReasonAsSpecified},
		{Type: common.ConditionDeepProbe, Status: metav1.ConditionTrue, Reason: common.ReasonProbePassed},
	}
	for _, c := range changed {
		for i := range out {
			if out[i].Type == c.Type {
				out[i] = c
			}
		}
	}
	return out
}

func messaging(changed ...metav1.Condition) *messagingapi.MessagingService {
	m := &messagingapi.MessagingService{ObjectMeta: metav1.ObjectMeta{Name: "spine", Namespace: messagingNamespace}}
	m.Spec.Suppliers = []messagingapi.Supplier{{Name: "example-pharmacy"}, {Name: "example-gp"}}
	m.Status.Conditions = conditions(changed...)
	m.Status.Redundancy.Summary = "3/3 db, 3/3 broker, 2/2 gateway"
	m.Status.MessagesAtRisk = "0"
	m.Status.Probe.LastTime = ago(9 * time.Second)
	m.Status.Backlog = &messagingapi.Backlog{Unsettled: 1204, OldestTime: ago(12 * time.Second), ObservedTime: *ago(9 * time.Second)}
	return m
}

func booking(changed ...metav1.Condition) *bookingapi.BookingService {
	b := &bookingapi.BookingService{ObjectMeta: metav1.ObjectMeta{Name: "ers", Namespace: bookingNamespace}}
	b.Status.Conditions = conditions(changed...)
	b.Status.Redundancy.Summary = "3/3 db, 2/2 service"
	b.Status.Loss = bookingapi.LossNone
	b.Status.Probe.LastTime = ago(7 * time.Second)
	b.Status.Backlog = &bookingapi.Backlog{OpenIssues: 3, ObservedTime: *ago(7 * time.Second)}
	return b
}

func wellSite() []client.Object {
	return []client.Object{host("a", "r1", true), host("b", "r2", true), host("c", "r3", true), messaging(), booking()}
}

// aPlan as an action makes it.
func aPlan(changes ...func(*api.Plan)) *api.Plan {
	p := &api.Plan{
		Digest: digest, Summary: "Restart the 3 members of the broker of spine-messaging/spine, one after the other, each when the others are well.",
		ExpectedSeconds: 270, Disruptive: true, MadeAt: *ago(2 * time.Second),
		Inputs: []string{"image: registry.example.org/spine/rabbitmq:4.0.5@sha256:9b74c9897bac770ffc029102a200c5de9b74c9897bac770ffc029102a200c5de"},
	}
	for i := 2; i >= 0; i-- {
		p.Steps = append(p.Steps, api.PlannedStep{
			Name: fmt.Sprintf("restart-broker-%d", i), Summary: fmt.Sprintf("Delete pod spine-broker-server-%d, and wait until it is ready and its queues are in step.", i),
			Touches: []string{fmt.Sprintf("Pod spine-messaging/spine-broker-server-%d", i)}, Repeatable: true, ExpectedSeconds: 90, TimeoutSeconds: 600,
		})
	}
	for _, change := range changes {
		change(p)
	}
	return p
}

func operation(name string, action api.Action, changes ...func(*api.ServiceRecovery)) *api.ServiceRecovery {
	o := &api.ServiceRecovery{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: messagingNamespace, UID: types.UID("uid-of-" + name),
		CreationTimestamp: *ago(5 * time.Minute), Generation: 2}}
	o.Spec = api.ServiceRecoverySpec{
		OperationSpec: api.OperationSpec{RequestedBy: "amy", Reason: "INC0012345: memory grows", DryRun: ptr.To(false), PlanDigest: digest},
		Action:        action, Service: &api.ServiceRef{Kind: "MessagingService", Name: "spine"},
	}
	o.Status = api.OperationStatus{ObservedGeneration: 2, Phase: api.PhaseRunning, Plan: aPlan()}
	for _, change := range changes {
		change(o)
	}
	return o
}
