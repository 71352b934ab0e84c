// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package servicerecovery

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/operators/ports/fake"
)

var _ = Describe("A host", Serial, func() {
	It("is drained and returned", func(ctx SpecContext) {
		s := newSite(ctx, "drain")
		o := s.ask(api.ActionDrainHost, "b")
		var names []string
		for _, step := range o.Status.Plan.Steps {
			names = append(names, step.Name)
		}
		Expect(names).To(Equal([]string{"cordon", "move-1", "move-2", "move-3"}))
		Expect(o.Status.Plan.Steps[1].Touches).To(Equal([]string{"Pod " + s.namespace + "/spine-gateway-1"}))
		Expect(s.node("b").Spec.Unschedulable).To(BeFalse(), "a dry run changes nothing")
		s.begin(o)
		s.run(o)
		Expect(o.Status.Phase).To(Equal(api.PhaseSucceeded), o.Status.Message)
		Expect(s.on("b")).To(BeEmpty())
		Expect(s.node("b").Spec.Unschedulable).To(BeTrue())
		Expect(s.power.Done()).To(BeEmpty())

		By("a second one while the first is away")
		Expect(reason(s.ask(api.ActionDrainHost, "c").Status)).To(Equal(api.ReasonQuorumAtRisk))
		Expect(reason(s.ask(api.ActionFenceHost, "c").Status)).To(Equal(api.ReasonQuorumAtRisk))

		By("returning it")
		o = s.ask(api.ActionReturnHost, "b")
		s.begin(o)
		s.run(o)
		Expect(o.Status.Phase).To(Equal(api.PhaseSucceeded), o.Status.Message)
		Expect(s.on("b")).To(Equal([]string{"spine-broker-server-1", "spine-db-2"}))
		Expect(s.node("b").Spec.Unschedulable).To(BeFalse())
		Expect(reason(s.ask(api.ActionReturnHost, "b").Status)).To(Equal(api.ReasonNotApplicable))
	})

	It("is not drained while a standby is ready and does not follow", func(ctx SpecContext) {
		s := newSite(ctx, "astray")
		follow := func(names ...string) {
			s.prober.Count(ports.MessagingStatus{Unsettled: 3, Standbys: append([]string{}, names...)})
		}
		follow("spine-db-2")
		o := s.ask(api.ActionDrainHost, "b")
		Expect(reason(o.Status)).To(Equal(api.ReasonQuorumAtRisk))
		Expect(o.Status.Blockers[0].Message).To(ContainSubstring("would be left with 1 of 3 members"))

		By("draining, when it goes astray before the database's member moves")
		follow("spine-db-2", "spine-db-3")
		o = s.ask(api.ActionDrainHost, "b")
		s.begin(o)
		follow("spine-db-2")
		for range 5 {
			s.step(o)
		}
		Expect(s.on("b")).To(ContainElement("spine-db-2"))
		follow("spine-db-2", "spine-db-3")
		s.run(o)
		Expect(o.Status.Phase).To(Equal(api.PhaseSucceeded), o.Status.Message)
	})

	It("is drained as budgets allow, and not otherwise", func(ctx SpecContext) {
		s := newSite(ctx, "budget")
		budget := &policyv1.PodDisruptionBudget{
			ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "gateway"},
			Spec: policyv1.PodDisruptionBudgetSpec{
				MinAvailable: ptr.To(intstr.FromInt32(2)), Selector: &metav1.LabelSelector{MatchLabels: s.labels("spine-gateway-0")},
			},
		}
		s.create(budget)
		budget.Status = policyv1.PodDisruptionBudgetStatus{ObservedGeneration: budget.Generation, CurrentHealthy: 2, DesiredHealthy: 2, ExpectedPods: 2}
		Expect(cluster.Client.Status().Update(ctx, budget)).To(Succeed())
		o := s.ask(api.ActionDrainHost, "b")
		s.begin(o)
		for range 5 {
			s.step(o)
		}
		Expect(o.Status.Phase).To(Equal(api.PhaseRunning))
		Expect(o.Status.Steps[1].Message).To(ContainSubstring("still there: " + s.namespace + "/spine-gateway-1"))
		Expect(s.on("b")).To(HaveLen(3))
		budget.Status.DisruptionsAllowed = 1
		Expect(cluster.Client.Status().Update(ctx, budget)).To(Succeed())
		s.run(o)
		Expect(o.Status.Phase).To(Equal(api.PhaseSucceeded), o.Status.Message)
	})

	It("that is lost is fenced, and returned", func(ctx SpecContext) {
		s := newSite(ctx, "fence")
		s.lose("b")
		o := s.ask(api.ActionFenceHost, "b")
		Expect(o.Status.Plan.PointOfNoReturn).To(Equal("power-off"))
		Expect(s.power.Done()).To(BeEmpty(), "a dry run switches nothing")
		s.begin(o)
		s.run(o)
		Expect(o.Status.Phase).To(Equal(api.PhaseSucceeded), o.Status.Message)
		Expect(s.power.Done()).To(Equal([]string{"off b"}))
		Expect(s.node("b").Spec.Taints).To(ContainElement(And(
			HaveField("Key", corev1.TaintNodeOutOfService), HaveField("Value", "nodeshutdown"), HaveField("Effect", corev1.TaintEffectNoExecute))))
		Expect(s.on("b")).To(BeEmpty())
		Expect(s.on("c")).To(ContainElement("spine-gateway-1"))

		By("fencing another while it is out")
		s.lose("c")
		Expect(reason(s.ask(api.ActionFenceHost, "c").Status)).To(Equal(api.ReasonManyHostsDown))
		s.back("c")

		o = s.ask(api.ActionReturnHost, "b")
		Expect(o.Status.Plan.Steps[0].Name).To(Equal("power-on"))
		s.begin(o)
		for range 4 {
			s.step(o)
		}
		Expect(s.power.Done()).To(Equal([]string{"off b", "on b"}))
		Expect(o.Status.Message).To(ContainSubstring("wait until host b is ready"))
		Expect(fenced(s.node("b"))).To(BeTrue(), "not before it is ready")
		s.back("b")
		s.run(o)
		Expect(o.Status.Phase).To(Equal(api.PhaseSucceeded), o.Status.Message)
		Expect(fenced(s.node("b"))).To(BeFalse())
		Expect(s.on("b")).To(Equal([]string{"spine-broker-server-1", "spine-db-2"}))
	})

	It("is not released before its controller says that it is off", func(ctx SpecContext) {
		s := newSite(ctx, "unsure")
		s.lose("b")
		o := s.ask(api.ActionFenceHost, "b")
		s.begin(o)
		s.power.Fail("b", fake.Silent("b"))
		for range 10 {
			s.step(o)
		}
		Expect(o.Status.Phase).NotTo(Equal(api.PhaseSucceeded))
		Expect(o.Status.Blockers).To(ContainElement(HaveField("Reason", api.ReasonHostUnmanaged)))
		Expect(fenced(s.node("b"))).To(BeFalse())
		Expect(s.on("b")).To(HaveLen(3))
		s.power.Fail("b", nil)
		s.clock.Step(10 * time.Second)
		s.run(o)
		Expect(o.Status.Phase).To(Equal(api.PhaseSucceeded), o.Status.Message)
	})

	It("is not released while its controller took the order and did nothing", func(ctx SpecContext) {
		s := newSite(ctx, "stuck-on")
		s.lose("b")
		o := s.ask(api.ActionFenceHost, "b")
		s.power.Stick("b", true)
		s.begin(o)
		for range 10 {
			s.step(o)
		}
		Expect(o.Status.Steps[0].Message).To(Equal("the management controller says that the power is On"))
		Expect(fenced(s.node("b"))).To(BeFalse())
		s.clock.Step(2 * time.Minute)
		s.step(o)
		Expect(o.Status.Phase).To(Equal(api.PhaseFailed), o.Status.Message)
		Expect(fenced(s.node("b"))).To(BeFalse())
		Expect(s.on("b")).To(HaveLen(3))
	})

	It("is not released when somebody switched it on again", func(ctx SpecContext) {
		s := newSite(ctx, "on-again")
		s.lose("b")
		o := s.ask(api.ActionFenceHost, "b")
		s.r.Power = reviving{s.power}
		s.begin(o)
		for range 5 {
			s.step(o)
		}
		Expect(o.Status.Steps[0].State).To(Equal(api.StepSucceeded))
		Expect(o.Status.Blockers).To(ConsistOf(HaveField("Message", ContainSubstring("has power again"))))
		Expect(fenced(s.node("b"))).To(BeFalse())
		Expect(s.on("b")).To(HaveLen(3))
	})

	DescribeTable("is left alone", func(ctx SpecContext, name string, action api.Action, want string, spoil func(*site)) {
		s := newSite(ctx, name)
		if spoil != nil {
			spoil(s)
		}
		o := s.ask(action, "b")
		Expect(o.Status.Phase).To(Equal(api.PhaseBlocked), o.Status.Message)
		Expect(o.Status.Blockers).To(ContainElement(HaveField("Reason", want)), o.Status.Message)
		Expect(s.power.Done()).To(BeEmpty())
		Expect(s.on("b")).To(HaveLen(3))
	},
		Entry("drained while a member is missing", "member", api.ActionDrainHost, api.ReasonQuorumAtRisk, func(s *site) { s.unready("spine-broker-server-0") }),
		Entry("drained while the store lacks one", "etcd", api.ActionDrainHost, api.ReasonQuorumAtRisk, func(s *site) { s.unreadyIn("kube-system", "etcd-a") }),
		Entry("drained while it is lost", "lost", api.ActionDrainHost, api.ReasonNotApplicable, func(s *site) { s.lose("b") }),
		Entry("fenced while it serves and a member is missing", "serving", api.ActionFenceHost, api.ReasonQuorumAtRisk, func(s *site) { s.unready("spine-db-1") }),
		Entry("fenced while the others have no quorum", "quorum", api.ActionFenceHost, api.ReasonQuorumAtRisk, func(s *site) {
			s.lose("b")
			s.unready("spine-db-3")
		}),
		Entry("fenced while another host is lost", "two", api.ActionFenceHost, api.ReasonManyHostsDown, func(s *site) {
			s.lose("b")
			s.lose("c")
		}),
		Entry("fenced without a controller that answers", "silent", api.ActionFenceHost, api.ReasonHostUnmanaged, func(s *site) {
			s.lose("b")
			s.power.Fail("b", fake.Silent("b"))
		}),
		Entry("fenced by another machine's controller", "wrong", api.ActionFenceHost, api.ReasonHostUnmanaged, func(s *site) {
			s.lose("b")
			s.power.Rename("b", "c")
		}),
		Entry("returned while it serves", "well", api.ActionReturnHost, api.ReasonNotApplicable, nil),
		Entry("returned without a controller that answers", "stuck", api.ActionReturnHost, api.ReasonHostUnmanaged, func(s *site) {
			s.lose("b")
			s.power.Fail("b", fake.Silent("b"))
		}),
	)

	It("that nobody knows is not acted on", func(ctx SpecContext) {
		s := newSite(ctx, "nobody")
		for _, action := range []api.Action{api.ActionDrainHost, api.ActionFenceHost, api.ActionReturnHost} {
			o := s.ask(action, "nowhere")
			Expect(reason(o.Status)).To(Equal(api.ReasonTargetNotFound), o.Status.Message)
		}
	})

	It("is known by what its controller says of it", func() {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "b"}}
		node.Status.NodeInfo.SystemUUID = "4C4C4544-0051-3510-8051-C2C04F4B3332"
		node.Status.NodeInfo.MachineID = "7e784888d6c641a2abd4e0ccc11c6f37"
		for name, c := range map[string]struct {
			machine ports.Machine
			same    bool
		}{
			"silent":       {ports.Machine{}, true},
			"host name":    {ports.Machine{HostName: "B.site.test"}, true},
			"system":       {ports.Machine{UUID: "4c4c4544-0051-3510-8051-c2c04f4b3332"}, true},
			"other order":  {ports.Machine{UUID: "44454c4c-5100-1035-8051-c2c04f4b3332"}, true},
			"machine id":   {ports.Machine{UUID: "7e784888-d6c6-41a2-abd4-e0ccc11c6f37"}, true},
			"another":      {ports.Machine{UUID: "7e784888-d6c6-41a2-abd4-e0ccc11c6f38"}, false},
			"another name": {ports.Machine{HostName: "c"}, false},
		} {
			Expect(same(c.machine, node)).To(Equal(c.same), name)
		}
	})
})

// reviving is a Power whose host is switched on by somebody as soon as it was seen off.
type reviving struct{ *fake.Power }

func (p reviving) State(ctx context.Context, host string) (ports.Machine, error) {
	m, err := p.Power.State(ctx, host)
	if m.Power == ports.PowerOff {
		p.Set(host, ports.PowerOn)
	}
	return m, err
}

func (s *site) unready(name string) { s.unreadyIn(s.namespace, name) }

func (s *site) unreadyIn(namespace, name string) {
	GinkgoHelper()
	var p corev1.Pod
	Expect(cluster.Client.Get(s.ctx, client.ObjectKey{Namespace: namespace, Name: name}, &p)).To(Succeed())
	p.Status.Conditions = nil
	Expect(cluster.Client.Status().Update(s.ctx, &p)).To(Succeed())
}
