// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package servicerecovery

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
)

func part(p api.Part) option { return func(o *api.ServiceRecovery) { o.Spec.Part = p } }

var _ = Describe("RestartRolling", func() {
	It("of the gateways has the Deployment replace them, once", func(ctx SpecContext) {
		s := newStage(ctx, "roll-gateway")
		o := s.planned(api.ActionRestartRolling, part(api.PartGateway))
		Expect(s.deployment().Spec.Template.Annotations).NotTo(HaveKey(restartedAt), "a dry run changes nothing")

		steps := 0
		s.play = func() {
			switch steps++; steps {
			case 1:
				s.gateways(1, 2)
			case 5:
				s.gateways(2, 2)
			}
		}
		generation := s.deployment().Generation
		s.clock.Step(10 * time.Minute)
		s.succeeds(o, 20)
		d := s.deployment()
		Expect(d.Spec.Template.Annotations).To(HaveKeyWithValue(restartedAt, o.Status.Steps[0].StartedAt.UTC().Format(time.RFC3339)),
			"begun again, it is the same restart")
		Expect(d.Generation).To(Equal(generation+1), "changed once")
		Expect(d.ManagedFields).To(ContainElement(HaveField("Manager", string(fieldOwner))))
		s.golden(o)
	})

	It("of the database has CloudNativePG restart its instances", func(ctx SpecContext) {
		s := newStage(ctx, "roll-db")
		o := s.planned(api.ActionRestartRolling, part(api.PartDatabase))
		next := 2 // standbys first
		s.play = func() {
			at := s.cluster().GetAnnotations()[restartedAt]
			if at == "" || next > 3 && s.primary == "roll-db-db-2" {
				return
			}
			name := fmt.Sprintf("roll-db-db-%d", next)
			if next > 3 {
				s.primary, name = "roll-db-db-2", "roll-db-db-1"
			}
			s.remove(name)
			s.instance(name, at)
			s.database(database.PhaseHealthy, s.instances...)
			next++
		}
		s.succeeds(o, 20)
		Expect(o.Status.Steps).To(HaveLen(1))
		s.golden(o)
	})

	It("of the broker takes one member after the other, each only while all are ready", func(ctx SpecContext) {
		s := newStage(ctx, "roll-broker")
		before := map[int]string{}
		for i := range 3 {
			before[i] = s.uid(fmt.Sprintf("roll-broker-broker-server-%d", i))
		}
		o := s.planned(api.ActionRestartRolling, part(api.PartBroker))
		Expect(o.Status.Plan.Steps).To(HaveLen(3))

		away := 0
		s.play = func() {
			down := 0
			for i := range 3 {
				if s.uid(fmt.Sprintf("roll-broker-broker-server-%d", i)) == "" {
					down++
				}
			}
			Expect(down).To(BeNumerically("<=", 1), "never two members at a time")
			switch {
			case down == 1 && away < 2:
				away++
				s.broker(2)
			case down == 1:
				away = 0
				for i := range 3 {
					if s.uid(fmt.Sprintf("roll-broker-broker-server-%d", i)) == "" {
						s.node(i)
					}
				}
				s.broker(3)
			}
		}
		s.succeeds(o, 40)
		s.golden(o)
		for i, uid := range before {
			Expect(s.uid(fmt.Sprintf("roll-broker-broker-server-%d", i))).NotTo(Equal(uid))
		}
	})

	It("of the broker leaves the successor of a member alone that went by itself", func(ctx SpecContext) {
		s := newStage(ctx, "roll-twice")
		o := s.planned(api.ActionRestartRolling, part(api.PartBroker))
		s.agree(o)
		s.remove("roll-twice-broker-server-0")
		s.node(0)
		s.step(o)
		Expect(o.Status.Phase).To(Equal(api.PhaseBlocked))
		Expect(o.Status.Blockers).To(ContainElement(HaveField("Reason", api.ReasonPlanChanged)))
		Expect(s.uid("roll-twice-broker-server-2")).NotTo(BeEmpty())
	})

	It("waits before a member's act when another is lost meanwhile", func(ctx SpecContext) {
		s := newStage(ctx, "roll-wait")
		o := s.planned(api.ActionRestartRolling, part(api.PartBroker))
		lost := false
		s.play = func() {
			if !lost && s.uid("roll-wait-broker-server-2") == "" {
				lost = true
				s.node(2)
				s.database("Waiting for the instances to become active", s.instances[:2]...)
			}
		}
		s.agree(o)
		for range 6 {
			s.step(o)
		}
		Expect(lost).To(BeTrue())
		Expect(s.uid("roll-wait-broker-server-1")).NotTo(BeEmpty())
		Expect(newRestart(s.r, o).Before(ctx, stepOf(o, 1))).To(ContainElement(HaveField("Reason", api.ReasonQuorumAtRisk)))
		Expect(o.Status.Steps[0].State).To(Equal(api.StepRunning), "it is not done while a member is missing anywhere")
		s.database(database.PhaseHealthy, s.instances...)
		s.play = func() {
			for i := range 3 {
				if s.uid(fmt.Sprintf("roll-wait-broker-server-%d", i)) == "" {
					s.node(i)
				}
			}
		}
		for range 20 {
			s.step(o)
		}
		Expect(o.Status.Phase).To(Equal(api.PhaseSucceeded), o.Status.Message)
	})

	It("is refused while a member is missing, and when nobody knows", func(ctx SpecContext) {
		s := newStage(ctx, "roll-refused")
		s.broker(2)
		Expect(s.refused(api.ActionRestartRolling, part(api.PartGateway))).To(And(
			HaveField("Reason", api.ReasonQuorumAtRisk), HaveField("Message", ContainSubstring("broker has 2 of 3 members"))))
		s.broker(0)
		Expect(s.refused(api.ActionRestartRolling, part(api.PartBroker)).Reason).To(Equal(api.ReasonNotApplicable))
		s.broker(3)
		s.database("")
		Expect(s.refused(api.ActionRestartRolling, part(api.PartGateway)).Reason).To(Equal(api.ReasonStateUnknown))
	})

	It("is refused for a service that does not exist", func(ctx SpecContext) {
		s := newStage(ctx, "roll-nobody")
		b := s.refused(api.ActionRestartRolling, part(api.PartGateway), func(o *api.ServiceRecovery) { o.Spec.Service.Name = "nobody" })
		Expect(b.Reason).To(Equal(api.ReasonTargetNotFound))
	})

	It("fails when somebody else asks for another restart meanwhile", func(ctx SpecContext) {
		s := newStage(ctx, "roll-other")
		o := s.planned(api.ActionRestartRolling, part(api.PartGateway))
		s.play = func() {
			if at := s.deployment().Spec.Template.Annotations[restartedAt]; at != "" && at != "theirs" {
				d := s.deployment()
				d.Spec.Template.Annotations[restartedAt] = "theirs"
				Expect(cluster.Client.Update(ctx, d)).To(Succeed())
			}
		}
		s.run(o, 10)
		Expect(o.Status.Phase).To(Equal(api.PhaseFailed))
		Expect(o.Status.Message).To(ContainSubstring("somebody else asked for another restart"))
	})

	It("ends only when the deep probe gets through every gateway", func(ctx SpecContext) {
		s := newStage(ctx, "roll-probe")
		o := s.planned(api.ActionRestartRolling, part(api.PartGateway))
		s.play = func() { s.gateways(2, 2) }
		s.prober.Fail("10.2.0.2:8446", "broker")
		s.agree(o)
		for range 6 {
			s.step(o)
		}
		Expect(o.Status.Phase).To(Equal(api.PhaseVerifying))
		Expect(o.Status.Message).To(ContainSubstring("10.2.0.2:8446: stage broker"))
		s.prober.Fail("10.2.0.2:8446", "")
		s.step(o)
		s.step(o)
		Expect(o.Status.Phase).To(Equal(api.PhaseSucceeded))
		Expect(o.Status.EndedAt.Sub(o.Status.StartedAt.Time)).To(BeNumerically("<", time.Minute))
	})
})

// remove takes a pod away as its host would.
func (s *stage) remove(name string) {
	GinkgoHelper()
	Expect(cluster.Client.Delete(s.ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name}},
		client.GracePeriodSeconds(0))).To(Succeed())
}
