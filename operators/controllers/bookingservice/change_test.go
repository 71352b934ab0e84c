// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package bookingservice

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/operatortest"
)

var _ = Describe("A change", func() {
	next := operatortest.Image("booking-service", '2')

	It("keeps a new image that the deep probe finds good", func(ctx SpecContext) {
		b := running(ctx, "good")
		b.change(func(s *booking.BookingService) { s.Spec.Service.Image = next })
		b.step(30 * time.Second)
		Expect(b.image()).To(Equal(next))
		Expect(b.condition("Progressing").Reason).To(Equal(common.ReasonChanging))

		By("not taking the old replicas' word for it")
		b.replicas(2, 2)
		b.steps(time.Minute)
		is := b.get()
		Expect(is.Status.Service.LastGoodImage).NotTo(BeEquivalentTo(next))
		Expect(is.Status.Service.ProbePassedTime).To(BeNil())
		Expect(is.Status.Probe.ConsecutiveFailures).To(BeZero(), "people are served all the time")
		Expect(is.Status.ObservedGeneration).To(BeNumerically("<", is.Generation), "who waits, waits for the change")

		By("not taking a new replica's word while another new one fails")
		b.replicas(1, 2)
		b.pod("good-2", "10.0.1.1", next)
		b.step(5 * time.Second)
		Expect(b.get().Status.Service.ProbePassedTime).NotTo(BeNil())
		b.replicas(2, 2)
		b.pod("good-3", "10.0.1.3", next)
		b.prober.Fail("10.0.1.3:8446", "slot")
		b.step(5 * time.Second)
		Expect(b.get().Status.Service.LastGoodImage).NotTo(BeEquivalentTo(next))
		b.prober.Fail("10.0.1.3:8446", "")
		b.steps(30 * time.Second)
		Expect(b.get().Status.ObservedGeneration).To(Equal(b.get().Generation))
		Expect(b.get().Status.Service.LastGoodImage).To(BeEquivalentTo(next))
		Expect(b.condition("Progressing").Reason).To(Equal(common.ReasonAsSpecified))
	})

	It("takes a new image back that the deep probe finds bad, and does not try it again", func(ctx SpecContext) {
		b := running(ctx, "bad")
		good := b.image()
		b.change(func(s *booking.BookingService) { s.Spec.Service.Image = next })
		b.step(30 * time.Second)
		Expect(b.image()).To(Equal(next))
		b.pod("bad-2", "10.0.1.2", next)
		b.prober.Fail("10.0.1.2:8446", "slot")
		b.replicas(1, 3)
		b.steps(30 * time.Second)
		Expect(b.image()).To(Equal(good))
		Expect(b.condition("Stalled").Reason).To(Equal(common.ReasonRolledBack))
		Expect(b.told()).To(ContainElement(ContainSubstring("RolledBack")))

		b.replicas(2, 2)
		b.prober.Fail("10.0.1.2:8446", "")
		b.steps(5 * time.Minute)
		Expect(b.image()).To(Equal(good))
		Expect(b.condition("Stalled").Reason).To(Equal(common.ReasonRolledBack))
		Expect(b.condition("Ready").Reason).To(Equal(common.ReasonProbePassed))

		By("going on when another image is asked for")
		third := operatortest.Image("booking-service", '3')
		b.change(func(s *booking.BookingService) { s.Spec.Service.Image = third })
		b.steps(time.Minute)
		Expect(b.image()).To(Equal(third))
		Expect(b.condition("Stalled").Reason).To(Equal(common.ReasonNotStalled))
	})

	It("is remembered when the manager ends before it wrote it down", func(ctx SpecContext) {
		b := running(ctx, "forgotten")
		good := b.image()
		b.change(func(s *booking.BookingService) { s.Spec.Service.Image = next })
		b.step(30 * time.Second)
		Expect(b.image()).To(Equal(next))
		is := b.get()
		is.Status.Service.StartedAt, is.Status.Service.CurrentImage = nil, string(good)
		Expect(cluster.Client.Status().Update(ctx, is)).To(Succeed())
		b.replicas(2, 2)
		b.steps(time.Minute)
		Expect(b.get().Status.Service.StartedAt).NotTo(BeNil())
		Expect(b.get().Status.Service.LastGoodImage).To(BeEquivalentTo(good), "by the old replicas' word it is not good")
		b.pod("forgotten-2", "10.0.1.4", next)
		b.prober.Fail("10.0.1.4:8446", "slot")
		b.steps(30 * time.Second)
		Expect(b.image()).To(Equal(good), "the bad image is found all the same")
	})

	It("waits while a member is missing", func(ctx SpecContext) {
		b := running(ctx, "waits")
		b.database(2)
		b.change(func(s *booking.BookingService) { s.Spec.Service.Image = next })
		b.steps(time.Minute)
		Expect(b.image()).NotTo(Equal(next))
		Expect(b.condition("Progressing").Reason).To(Equal(common.ReasonQuorumAtRisk))
		b.database(3)
		b.step(5 * time.Second)
		Expect(b.image()).To(Equal(next))
	})

	It("brings the database and the program about one after the other", func(ctx SpecContext) {
		b := running(ctx, "both")
		more := resource.MustParse("512Mi")
		b.change(func(s *booking.BookingService) {
			s.Spec.Service.Image = next
			s.Spec.Database.Resources.Memory = more
		})
		b.step(30 * time.Second)
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(database.GVK)
		Expect(cluster.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "both-db"}, u)).To(Succeed())
		memory, _, _ := unstructured.NestedString(u.Object, "spec", "resources", "requests", "memory")
		Expect(memory).To(Equal("512Mi"))
		Expect(b.image()).NotTo(Equal(next))
		b.database(2)
		b.steps(30 * time.Second)
		Expect(b.image()).NotTo(Equal(next), "the database is not whole yet")
		b.database(3)
		b.steps(30 * time.Second)
		Expect(b.image()).To(Equal(next))
	})
})
