// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package servicerecovery

import (
	"context"
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/record"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	desired "spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/kit/lease"
	"spine.nhs.uk/controlplane/operators/operatortest"
	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/operators/ports/fake"
)

// site is three hosts that hold up one MessagingService, in a namespace of its own, and a
// reconciler that is driven by hand with the manager's rights.
type site struct {
	ctx       context.Context
	r         *Reconciler
	clock     *clocktesting.FakeClock
	power     *fake.Power
	prober    *fake.Prober
	namespace string
	// frozen hosts have no kubelet that ends pods and renews its lease.
	frozen []string
	// evicting plays the cluster's own eviction of pods from a host with a taint.
	evicting bool
	// bound are the hosts of members whose volumes cannot move.
	bound map[string]string
}

var hosts = []string{"a", "b", "c"}

func newSite(ctx context.Context, name string) *site {
	GinkgoHelper()
	s := &site{ctx: ctx, clock: clocktesting.NewFakeClock(time.Now()), power: &fake.Power{}, prober: &fake.Prober{},
		namespace: "site-" + name, evicting: true, bound: map[string]string{}}
	s.prober.Count(ports.MessagingStatus{Unsettled: 3})
	s.r = &Reconciler{
		Client: manager, Reader: manager, Prober: s.prober, Power: s.power, Messaging: s.namespace, Booking: "spine-booking",
		Events: kit.NewEvents(record.NewFakeRecorder(500), s.clock.Now), Clock: s.clock, Actions: Actions(),
	}
	for _, h := range hosts {
		forget(ctx, "host-"+h)
	}
	forget(ctx, lease.Site)
	s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}})
	var role rbacv1.Role
	Expect(cluster.Client.Get(ctx, client.ObjectKey{Namespace: "spine-messaging", Name: "spine-manager"}, &role)).To(Succeed())
	s.create(&rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "m"}, Rules: role.Rules})
	s.create(&rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "m"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "m"},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: ManagerUser}},
	})
	m := operatortest.Messaging("spine")
	m.Namespace = s.namespace
	s.create(m)
	for i, h := range hosts {
		s.power.Set(h, ports.PowerOn)
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: h}}
		s.create(node)
		node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
		Expect(cluster.Client.Status().Update(ctx, node)).To(Succeed())
		s.create(&coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: leaseNamespace, Name: h}})
		labels := map[string]string{database.ClusterLabel: "spine-db", database.RoleLabel: database.RoleInstance}
		if i == 0 {
			labels[database.InstanceRoleLabel] = database.PrimaryRole
		}
		s.pod(s.namespace, fmt.Sprintf("spine-db-%d", i+1), h, labels)
		s.pod(s.namespace, fmt.Sprintf("spine-broker-server-%d", i), h, map[string]string{"app.kubernetes.io/name": "spine-broker"})
		s.pod("kube-system", "etcd-"+h, h, map[string]string{"component": "etcd", "tier": "control-plane"}, func(p *corev1.Pod) {
			p.Annotations = map[string]string{mirrorAnnotation: "x"}
		})
		s.pod("kube-system", "router-"+h, h, nil, func(p *corev1.Pod) {
			p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "DaemonSet", Name: "router", UID: "1", Controller: ptr.To(true)}}
		})
		s.bound[fmt.Sprintf("spine-db-%d", i+1)], s.bound[fmt.Sprintf("spine-broker-server-%d", i)] = h, h
	}
	for i, h := range []string{"a", "b"} {
		s.pod(s.namespace, fmt.Sprintf("spine-gateway-%d", i), h, desired.Selector(m, desired.Gateway))
	}
	s.cluster()
	return s
}

// create makes an object that goes with the spec.
func (s *site) create(o client.Object) {
	GinkgoHelper()
	Expect(cluster.Client.Create(s.ctx, o)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) {
		Expect(client.IgnoreNotFound(cluster.Client.Delete(ctx, o, client.GracePeriodSeconds(0)))).To(Succeed())
	})
}

// pod that is ready, on a host.
func (s *site) pod(namespace, name, host string, labels map[string]string, options ...func(*corev1.Pod)) {
	GinkgoHelper()
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels},
		Spec:       corev1.PodSpec{NodeName: host, Containers: []corev1.Container{{Name: "c", Image: "i"}}},
	}
	for _, o := range options {
		o(p)
	}
	s.create(p)
	s.ready(p, host != "")
}

func (s *site) ready(p *corev1.Pod, so bool) {
	GinkgoHelper()
	p.Status.Phase, p.Status.Conditions = corev1.PodRunning, []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	if !so {
		p.Status.Phase, p.Status.Conditions = corev1.PodPending, nil
	}
	Expect(cluster.Client.Status().Update(s.ctx, p)).To(Succeed())
}

// lose a host, as everybody hears of it.
func (s *site) lose(host string) {
	GinkgoHelper()
	s.frozen = append(s.frozen, host)
	s.condition(host, corev1.ConditionUnknown)
}

// back: its kubelet runs again.
func (s *site) back(host string) {
	GinkgoHelper()
	s.frozen = slices.DeleteFunc(s.frozen, func(h string) bool { return h == host })
	s.condition(host, corev1.ConditionTrue)
}

func (s *site) condition(host string, status corev1.ConditionStatus) {
	GinkgoHelper()
	n := s.node(host)
	n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: status}}
	Expect(cluster.Client.Status().Update(s.ctx, n)).To(Succeed())
}

func (s *site) node(name string) *corev1.Node {
	GinkgoHelper()
	var n corev1.Node
	Expect(cluster.Client.Get(s.ctx, client.ObjectKey{Name: name}, &n)).To(Succeed())
	return &n
}

// cluster plays the kubelets, the controllers and the scheduler: heartbeats, pods that end,
// members that are made anew where they may run.
func (s *site) cluster() {
	GinkgoHelper()
	for _, h := range hosts {
		if !slices.Contains(s.frozen, h) {
			var l coordinationv1.Lease
			Expect(cluster.Client.Get(s.ctx, client.ObjectKey{Namespace: leaseNamespace, Name: h}, &l)).To(Succeed())
			l.Spec.RenewTime = ptr.To(metav1.NewMicroTime(s.clock.Now()))
			Expect(cluster.Client.Update(s.ctx, &l)).To(Succeed())
		}
	}
	var pods corev1.PodList
	Expect(cluster.Client.List(s.ctx, &pods, client.InNamespace(s.namespace))).To(Succeed())
	for i := range pods.Items {
		p := &pods.Items[i]
		switch home := s.bound[p.Name]; {
		case p.Spec.NodeName == "" && home != "" && s.serves(home):
			s.again(p, home)
		case p.Spec.NodeName == "":
		case p.DeletionTimestamp == nil && s.evicting && fenced(s.node(p.Spec.NodeName)):
			Expect(cluster.Client.Delete(s.ctx, p)).To(Succeed())
		case p.DeletionTimestamp != nil && !slices.Contains(s.frozen, p.Spec.NodeName):
			Expect(client.IgnoreNotFound(cluster.Client.Delete(s.ctx, p, client.GracePeriodSeconds(0)))).To(Succeed())
		}
	}
	for name := range s.bound {
		if !s.exists(name) {
			s.pod(s.namespace, name, "", s.labels(name)) // waits for its volume's host
		}
	}
	for i := range 2 {
		if name := fmt.Sprintf("spine-gateway-%d", i); !s.exists(name) {
			s.pod(s.namespace, name, "c", s.labels(name))
		}
	}
}

func (s *site) serves(host string) bool {
	n := s.node(host)
	return nodeReady(n) && !fenced(n) && !n.Spec.Unschedulable
}

// again makes a waiting pod anew on its host.
func (s *site) again(p *corev1.Pod, host string) {
	GinkgoHelper()
	Expect(cluster.Client.Delete(s.ctx, p, client.GracePeriodSeconds(0))).To(Succeed())
	s.pod(s.namespace, p.Name, host, p.Labels)
}

func (s *site) labels(name string) map[string]string {
	switch name[:len("spine-db")] {
	case "spine-db":
		return map[string]string{database.ClusterLabel: "spine-db", database.RoleLabel: database.RoleInstance}
	case "spine-br":
		return map[string]string{"app.kubernetes.io/name": "spine-broker"}
	}
	return desired.Selector(operatortest.Messaging("spine"), desired.Gateway)
}

func (s *site) exists(name string) bool {
	GinkgoHelper()
	err := cluster.Client.Get(s.ctx, client.ObjectKey{Namespace: s.namespace, Name: name}, &corev1.Pod{})
	Expect(client.IgnoreNotFound(err)).NotTo(HaveOccurred())
	return err == nil
}

// on returns the service's pods on a host, sorted.
func (s *site) on(host string) []string {
	GinkgoHelper()
	var pods corev1.PodList
	Expect(cluster.Client.List(s.ctx, &pods, client.InNamespace(s.namespace))).To(Succeed())
	out := []string{}
	for _, p := range pods.Items {
		if p.Spec.NodeName == host {
			out = append(out, p.Name)
		}
	}
	slices.Sort(out)
	return out
}

// ask makes a dry run of alice's, and looks at it once.
func (s *site) ask(action api.Action, host string) *api.ServiceRecovery {
	GinkgoHelper()
	s.clock.Step(time.Millisecond)
	o := &api.ServiceRecovery{ObjectMeta: metav1.ObjectMeta{Namespace: SystemNamespace, Name: fmt.Sprintf("%s-%d", host, s.clock.Now().UnixNano())}}
	o.Spec.Action, o.Spec.Host, o.Spec.RequestedBy, o.Spec.Reason = action, host, "alice", "incident 4711"
	Expect(as("alice").Create(s.ctx, o)).To(Succeed())
	s.step(o)
	return o
}

func (s *site) step(o *api.ServiceRecovery) {
	GinkgoHelper()
	s.cluster()
	_, err := s.r.Reconcile(s.ctx, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(o)})
	Expect(err).NotTo(HaveOccurred())
	Expect(cluster.Client.Get(s.ctx, client.ObjectKeyFromObject(o), o)).To(Succeed())
	s.clock.Step(time.Second)
}

// begin the real run of a plan.
func (s *site) begin(o *api.ServiceRecovery) {
	GinkgoHelper()
	Expect(o.Status.Phase).To(Equal(api.PhasePlanned), o.Status.Message)
	patch := client.MergeFrom(o.DeepCopy())
	o.Spec.DryRun, o.Spec.PlanDigest = ptr.To(false), o.Status.Plan.Digest
	Expect(as("alice").Patch(s.ctx, o, patch)).To(Succeed())
}

// run carries on to the end, and gives the leases back.
func (s *site) run(o *api.ServiceRecovery) {
	GinkgoHelper()
	for range 40 {
		if s.step(o); o.Status.Phase.Ended() {
			s.step(o)
			return
		}
	}
	Fail(fmt.Sprintf("not ended: %s: %s %v", o.Status.Phase, o.Status.Message, o.Status.Steps))
}
