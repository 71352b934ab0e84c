// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package servicerecovery

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	messagingapi "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit/operation"
	"spine.nhs.uk/controlplane/operators/ports"
)

// stepOf is a step of a plan as the engine would begin it now.
func stepOf(o *api.ServiceRecovery, i int) operation.Step {
	return operation.Step{PlannedStep: o.Status.Plan.Steps[i], StartedAt: time.Now().Truncate(time.Second)}
}

func (s *stage) get() *messagingapi.MessagingService {
	GinkgoHelper()
	var m messagingapi.MessagingService
	Expect(cluster.Client.Get(s.ctx, s.key(""), &m)).To(Succeed())
	return &m
}

func (s *stage) change(f func(*messagingapi.MessagingService)) {
	GinkgoHelper()
	m := s.get()
	f(m)
	Expect(cluster.Client.Update(s.ctx, m)).To(Succeed())
}

var _ = Describe("ReplayDeadLetters", func() {
	supplier := func(o *api.ServiceRecovery) { o.Spec.Supplier = "load" }
	dead := func(s *stage, n int, at time.Time) {
		for i := range n {
			s.dead.Put("load", ports.DeadLetter{ID: fmt.Sprintf("%06d", i), At: at})
		}
		s.count(ports.MessagingStatus{DeadLettered: []ports.DeadLettered{{Supplier: "load", Count: int64(n)}}})
	}

	It("puts back what was there, in batches, and says how many", func(ctx SpecContext) {
		s := newStage(ctx, "replay")
		dead(s, 7, s.clock.Now().Add(-time.Minute))
		s.dead.Put("load", ports.DeadLetter{ID: "later", At: s.clock.Now().Add(time.Hour)})
		s.dead.Put("pharmacy", ports.DeadLetter{ID: "other", At: s.clock.Now().Add(-time.Minute)})
		s.dead.Page = 3
		o := s.planned(api.ActionReplayDeadLetters, supplier)
		Expect(s.dead.Left("load")).To(HaveLen(8))
		s.succeeds(o, 10)
		Expect(s.dead.Left("load")).To(ConsistOf(HaveField("ID", "later")))
		Expect(s.dead.Left("pharmacy")).To(HaveLen(1))
		s.golden(o)
	})

	It("goes on after it was cut off, and does not claim to know the number", func(ctx SpecContext) {
		s := newStage(ctx, "replay-cut")
		dead(s, 7, s.clock.Now().Add(-time.Minute))
		s.dead.Page, s.dead.Fail = 3, 1
		o := s.planned(api.ActionReplayDeadLetters, supplier)
		s.succeeds(o, 10)
		Expect(s.dead.Left("load")).To(BeEmpty())
		Expect(o.Status.Steps[0].Acts).To(BeEquivalentTo(2))
		Expect(o.Status.Evidence.Notes).To(ConsistOf(ContainSubstring("at least 4 dead letters")))
	})

	It("is refused without dead letters, for nobody, and for one that is stopped", func(ctx SpecContext) {
		s := newStage(ctx, "replay-not")
		Expect(s.refused(api.ActionReplayDeadLetters, supplier).Message).To(ContainSubstring("has no dead letters"))
		Expect(s.refused(api.ActionReplayDeadLetters, func(o *api.ServiceRecovery) { o.Spec.Supplier = "nobody" }).Reason).To(Equal(api.ReasonTargetNotFound))
		dead(s, 1, s.clock.Now())
		s.change(func(m *messagingapi.MessagingService) { m.Spec.Suppliers[0].Traffic = messagingapi.TrafficStopped })
		Expect(s.refused(api.ActionReplayDeadLetters, supplier).Message).To(ContainSubstring("is stopped"))
		s.prober.Down(true)
		Expect(s.refused(api.ActionReplayDeadLetters, supplier).Reason).To(Equal(api.ReasonStateUnknown))
	})
})

var _ = Describe("QuarantineSupplier and ReleaseSupplier", func() {
	supplier := func(name string) option { return func(o *api.ServiceRecovery) { o.Spec.Supplier = name } }

	It("stop a supplier until every gateway says so, and open it again", func(ctx SpecContext) {
		s := newStage(ctx, "stop")
		s.change(func(m *messagingapi.MessagingService) {
			m.Annotations = map[string]string{common.StoppedSuppliersAnnotation: "pharmacy"}
		})
		o := s.planned(api.ActionQuarantineSupplier, supplier("load"))
		s.agree(o)
		for range 3 {
			s.step(o)
		}
		Expect(s.get().Annotations).To(HaveKeyWithValue(common.StoppedSuppliersAnnotation, "load,pharmacy"))
		Expect(o.Status.Steps[0].Message).To(Equal("0 of 2 gateways have taken it up"))
		s.count(ports.MessagingStatus{StoppedSuppliers: []string{"load", "pharmacy"}})
		for range 3 {
			s.step(o)
		}
		Expect(o.Status.Phase).To(Equal(api.PhaseSucceeded), o.Status.Message)
		s.golden(o)
		Expect(s.refused(api.ActionQuarantineSupplier, supplier("load")).Message).To(ContainSubstring("in quarantine already"))

		o = s.planned(api.ActionReleaseSupplier, supplier("load"))
		s.play = func() { s.count(ports.MessagingStatus{StoppedSuppliers: []string{"pharmacy"}}) }
		s.succeeds(o, 10)
		Expect(s.get().Annotations).To(HaveKeyWithValue(common.StoppedSuppliersAnnotation, "pharmacy"))
		o = s.planned(api.ActionReleaseSupplier, supplier("pharmacy"))
		s.play = func() { s.count(ports.MessagingStatus{}) }
		s.succeeds(o, 10)
		Expect(s.get().Annotations).NotTo(HaveKey(common.StoppedSuppliersAnnotation))
	})

	It("leave the specification to its owner", func(ctx SpecContext) {
		s := newStage(ctx, "stop-owner")
		specification := s.get().Spec
		o := s.planned(api.ActionQuarantineSupplier, supplier("load"))
		s.play = func() { s.count(ports.MessagingStatus{StoppedSuppliers: []string{"load"}}) }
		s.succeeds(o, 10)
		m := s.get()
		Expect(m.Spec).To(Equal(specification))
		Expect(m.ManagedFields).To(ContainElement(And(HaveField("Manager", string(fieldOwner)), HaveField("FieldsV1.Raw", Not(ContainSubstring("f:spec"))))))

		s.change(func(m *messagingapi.MessagingService) { m.Spec.Suppliers[1].Traffic = messagingapi.TrafficStopped })
		Expect(s.refused(api.ActionQuarantineSupplier, supplier("pharmacy")).Reason).To(Equal(api.ReasonNotApplicable))
		Expect(s.refused(api.ActionReleaseSupplier, supplier("pharmacy")).Message).To(ContainSubstring("stopped by the specification"))
		Expect(s.refused(api.ActionQuarantineSupplier, supplier("nobody")).Reason).To(Equal(api.ReasonTargetNotFound))
	})

	DescribeTable("by hand with a mistake are refused at admission", func(ctx SpecContext, key, value string) {
		s := newStage(ctx, "stop-"+fmt.Sprint(time.Now().UnixNano()))
		m := s.get()
		m.Annotations = map[string]string{key: value}
		Expect(cluster.Client.Update(ctx, m)).To(MatchError(ContainSubstring("metadata.annotations[" + key + "]")))
	},
		Entry("no name", common.StoppedSuppliersAnnotation, "Load;pharmacy"),
		Entry("no number", common.ReplicasAnnotation, "many"),
		Entry("too many", common.ReplicasAnnotation, "21"),
		Entry("too few", common.ReplicasAnnotation, "1"),
	)
})

var _ = Describe("ScaleOut", func() {
	replicas := func(n int32) option { return func(o *api.ServiceRecovery) { o.Spec.Replicas = n } }

	It("runs more gateways than specified, and goes back", func(ctx SpecContext) {
		s := newStage(ctx, "scale")
		o := s.planned(api.ActionScaleOut, replicas(4))
		Expect(s.deployment().Spec.Replicas).To(HaveValue(BeEquivalentTo(2)))
		n := int32(2)
		s.play = func() {
			if want := *s.deployment().Spec.Replicas; n < want {
				n++
				s.gateways(n, n)
			} else if n > want {
				n = want
				s.gateways(n, n)
			}
		}
		s.succeeds(o, 20)
		Expect(s.deployment().Spec.Replicas).To(HaveValue(BeEquivalentTo(4)))
		Expect(s.get().Annotations).To(HaveKeyWithValue(common.ReplicasAnnotation, "4"))
		Expect(s.get().Spec.Gateway.Replicas).To(BeEquivalentTo(2))
		s.golden(o)

		Expect(s.refused(api.ActionScaleOut, replicas(4)).Reason).To(Equal(api.ReasonNotApplicable))
		o = s.planned(api.ActionScaleOut, replicas(2))
		s.succeeds(o, 20)
		Expect(s.deployment().Spec.Replicas).To(HaveValue(BeEquivalentTo(2)))
		Expect(s.get().Annotations).NotTo(HaveKey(common.ReplicasAnnotation))
	})

	It("fails, and says so, when there is no room for them", func(ctx SpecContext) {
		s := newStage(ctx, "scale-full")
		o := s.planned(api.ActionScaleOut, replicas(3))
		s.play = func() {
			s.gateways(2, 2)
			s.clock.Step(time.Minute)
		}
		s.run(o, 20)
		Expect(o.Status.Phase).To(Equal(api.PhaseFailed))
		Expect(o.Status.Message).To(ContainSubstring("2 of 3 replicas are available"))
	})

	It("is refused below the specification, and when nobody knows", func(ctx SpecContext) {
		s := newStage(ctx, "scale-not")
		s.change(func(m *messagingapi.MessagingService) { m.Spec.Gateway.Replicas = 3 })
		Expect(s.refused(api.ActionScaleOut, replicas(2)).Message).To(ContainSubstring("fewer than the 3"))
		d := s.deployment()
		patch := client.MergeFrom(d.DeepCopy())
		d.Spec.MinReadySeconds++
		Expect(cluster.Client.Patch(ctx, d, patch)).To(Succeed())
		Expect(s.refused(api.ActionScaleOut, replicas(5)).Reason).To(Equal(api.ReasonStateUnknown))
	})
})
