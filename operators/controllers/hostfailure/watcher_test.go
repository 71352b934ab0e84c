// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package hostfailure

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/record"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	decide "spine.nhs.uk/controlplane/operators/decide/hostfailure"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/operatortest"
	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/operators/ports/fake"
)

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// rack is three hosts, and a watcher that is driven by hand with the manager's rights.
type rack struct {
	*WithT
	ctx     context.Context
	admin   client.Client
	w       *Watcher
	clock   *clocktesting.FakeClock
	power   *fake.Power
	prober  *fake.HostProber
	events  *record.FakeRecorder
	elected chan struct{}
	silent  []string
}

func newRack(t *testing.T, cluster *operatortest.Cluster) *rack {
	g := NewWithT(t)
	manager, err := cluster.Manager()
	g.Expect(err).NotTo(HaveOccurred())
	r := &rack{WithT: g, ctx: t.Context(), admin: cluster.Client, clock: clocktesting.NewFakeClock(time.Now()),
		power: &fake.Power{}, prober: &fake.HostProber{}, events: record.NewFakeRecorder(500), elected: make(chan struct{})}
	r.w = &Watcher{
		Client: manager, Reader: manager, Power: r.power, Prober: r.prober, Clock: r.clock,
		Events: kit.NewEvents(r.events, r.clock.Now), Elected: r.elected, Rest: 2 * time.Minute,
	}
	for i, name := range []string{"a", "b", "c"} {
		n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
		g.Expect(r.admin.Create(r.ctx, n)).To(Succeed())
		n.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: address4(i)}}
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
		g.Expect(r.admin.Status().Update(r.ctx, n)).To(Succeed())
		g.Expect(r.admin.Create(r.ctx, &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: leaseNamespace, Name: name}})).To(Succeed())
		r.power.Set(name, ports.PowerOn)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		g.Expect(r.admin.DeleteAllOf(ctx, &corev1.Node{})).To(Succeed())
		g.Expect(r.admin.DeleteAllOf(ctx, &coordinationv1.Lease{}, client.InNamespace(leaseNamespace))).To(Succeed())
		g.Expect(r.admin.DeleteAllOf(ctx, &api.ServiceRecovery{}, client.InNamespace(systemNamespace))).To(Succeed())
	})
	return r
}

func address4(i int) string { return []string{"10.0.0.11", "10.0.0.12", "10.0.0.13"}[i] }

// lose a host: neither its kubelet nor its SSH daemon answers any more.
func (r *rack) lose(name string, power ports.PowerState) {
	r.silent = append(r.silent, name)
	r.prober.Set(address4(int(name[0]-'a')), ports.ReachSilent, ports.ReachSilent)
	r.power.Set(name, power)
}

// watch lets time pass, with the hosts' heartbeats.
func (r *rack) watch(d time.Duration) {
	for end := r.clock.Now().Add(d); r.clock.Now().Before(end); r.clock.Step(decide.Pace) {
		for _, name := range []string{"a", "b", "c"} {
			if !slices.Contains(r.silent, name) {
				var l coordinationv1.Lease
				r.Expect(r.admin.Get(r.ctx, client.ObjectKey{Namespace: leaseNamespace, Name: name}, &l)).To(Succeed())
				l.Spec.RenewTime = ptr.To(metav1.NewMicroTime(r.clock.Now()))
				r.Expect(r.admin.Update(r.ctx, &l)).To(Succeed())
			}
		}
		r.w.Look(r.ctx)
	}
}

func (r *rack) operations() []api.ServiceRecovery {
	var list api.ServiceRecoveryList
	r.Expect(r.admin.List(r.ctx, &list, client.InNamespace(systemNamespace))).To(Succeed())
	return list.Items
}

// only returns the one operation that there is.
func (r *rack) only() *api.ServiceRecovery {
	list := r.operations()
	r.Expect(list).To(HaveLen(1))
	return &list[0]
}

// says plays the engine.
func (r *rack) says(o *api.ServiceRecovery, phase api.Phase) {
	o.Status.Phase, o.Status.ObservedGeneration = phase, o.Generation
	o.Status.Plan = &api.Plan{Digest: digest, Summary: "x", Steps: []api.PlannedStep{}, MadeAt: metav1.Now()}
	if phase == api.PhaseBlocked {
		o.Status.Blockers = []api.Blocker{{Reason: api.ReasonQuorumAtRisk, Message: "a member is missing"}}
	}
	if phase.Ended() {
		o.Status.EndedAt = ptr.To(metav1.NewTime(r.clock.Now()))
	}
	r.Expect(r.admin.Status().Update(r.ctx, o)).To(Succeed())
}

func (r *rack) told(reason string) string {
	for len(r.events.Events) > 0 {
		if e := <-r.events.Events; strings.Contains(e, reason) {
			return e
		}
	}
	return ""
}

func TestWatcher(t *testing.T) {
	cluster, err := operatortest.Start()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { NewWithT(t).Expect(cluster.Stop()).To(Succeed()) })

	t.Run("fences a host that lost its power, then returns it", func(t *testing.T) {
		r := newRack(t, cluster)
		close(r.elected)
		r.watch(30 * time.Second)
		r.Expect(r.operations()).To(BeEmpty())
		r.lose("b", ports.PowerOff)
		r.watch(6 * time.Second)
		r.Expect(r.operations()).To(BeEmpty())
		r.watch(6 * time.Second)
		o := r.only()
		r.Expect(o.Spec.Action).To(Equal(api.ActionFenceHost))
		r.Expect(o.Spec.Host).To(Equal("b"))
		r.Expect(o.Spec.RequestedBy).To(Equal(managerUser))
		r.Expect(*o.Spec.DryRun).To(BeTrue())
		r.Expect(o.Spec.Reason).To(ContainSubstring("without hands: host b has failed: it has no power"))

		r.says(o, api.PhasePlanned)
		r.w.Act(r.ctx)
		o = r.only()
		r.Expect(*o.Spec.DryRun).To(BeFalse())
		r.Expect(o.Spec.PlanDigest).To(Equal(digest))
		r.says(o, api.PhaseRunning)
		r.watch(20 * time.Second)
		r.says(r.only(), api.PhaseSucceeded)
		var n corev1.Node
		r.Expect(r.admin.Get(r.ctx, client.ObjectKey{Name: "b"}, &n)).To(Succeed())
		n.Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeOutOfService, Effect: corev1.TaintEffectNoExecute}}
		r.Expect(r.admin.Update(r.ctx, &n)).To(Succeed())

		// The API server's clock, which dates operations, stands still here.
		r.watch(30 * time.Second)
		r.Expect(r.operations()).To(HaveLen(1))
		r.watch(60 * time.Second)
		r.Expect(r.operations()).To(ContainElement(HaveField("Spec.Action", api.ActionReturnHost)))
	})

	t.Run("only the leader acts, with what it saw before it led", func(t *testing.T) {
		r := newRack(t, cluster)
		r.watch(20 * time.Second)
		r.lose("c", ports.PowerOn)
		r.watch(20 * time.Second)
		r.Expect(r.operations()).To(BeEmpty())
		close(r.elected)
		r.watch(decide.Pace)
		r.Expect(r.only().Spec.Host).To(Equal("c"))
	})

	t.Run("a host that comes back is not fenced after all", func(t *testing.T) {
		r := newRack(t, cluster)
		close(r.elected)
		r.watch(20 * time.Second)
		r.lose("b", ports.PowerOn)
		r.watch(16 * time.Second)
		r.says(r.only(), api.PhasePlanned)
		r.silent = nil
		r.prober.Set(address4(1), ports.ReachServes, ports.ReachServes)
		r.watch(2 * decide.Pace)
		r.Expect(r.operations()).To(BeEmpty())
	})

	t.Run("what is blocked is told, and asked for anew", func(t *testing.T) {
		r := newRack(t, cluster)
		close(r.elected)
		r.watch(20 * time.Second)
		r.lose("b", ports.PowerOff)
		r.watch(12 * time.Second)
		first := r.only()
		r.says(first, api.PhaseBlocked)
		r.watch(10 * time.Second)
		r.Expect(r.told(api.ReasonQuorumAtRisk)).To(HavePrefix("Warning QuorumAtRisk FenceHost of host b without hands is held back"))
		r.Expect(r.only().UID).NotTo(Equal(first.UID))
		r.Expect(*r.only().Spec.DryRun).To(BeTrue())
	})

	t.Run("a storm and a lost network are left to people", func(t *testing.T) {
		r := newRack(t, cluster)
		close(r.elected)
		r.watch(20 * time.Second)
		r.lose("b", ports.PowerOff)
		r.lose("c", ports.PowerOff)
		r.watch(2 * time.Minute)
		r.Expect(r.operations()).To(BeEmpty())
		r.Expect(r.told(api.ReasonManyHostsDown)).To(HavePrefix("Warning ManyHostsDown"))
	})

	t.Run("a controller that does not answer is told before it is needed, and keeps from fencing", func(t *testing.T) {
		r := newRack(t, cluster)
		close(r.elected)
		r.power.Fail("b", fake.Silent("b"))
		r.watch(70 * time.Second)
		r.Expect(r.told(api.ReasonHostUnmanaged)).To(ContainSubstring("could not be fenced if it failed"))
		r.lose("b", ports.PowerOff)
		r.watch(time.Minute)
		r.Expect(r.operations()).To(BeEmpty())
		r.Expect(r.told("host b has failed")).To(HavePrefix("Warning HostUnmanaged"))
	})
}
