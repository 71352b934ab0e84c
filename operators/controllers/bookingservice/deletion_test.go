// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package bookingservice

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/ports"
)

var _ = Describe("A deletion", func() {
	force := func(b *bench) {
		b.change(func(s *booking.BookingService) {
			s.Annotations = map[string]string{common.ForceDeleteAnnotation: "CHG1: site closes"}
		})
	}
	gone := func(b *bench) bool {
		return apierrors.IsNotFound(cluster.Client.Get(b.ctx, b.key, &booking.BookingService{}))
	}
	intake := func(b *bench) booking.Intake {
		GinkgoHelper()
		var m corev1.ConfigMap
		Expect(cluster.Client.Get(b.ctx, client.ObjectKey{Namespace: namespace, Name: b.key.Name + "-service-config"}, &m)).To(Succeed())
		c, err := booking.ParseServiceConfig([]byte(m.Data["booking.yaml"]))
		Expect(err).NotTo(HaveOccurred())
		return c.Intake
	}

	It("is refused with the counts while work is held, until a reason is given", func(ctx SpecContext) {
		b := running(ctx, "held")
		b.prober.Count(ports.BookingStatus{Bookings: 7, ASIOpen: 2, OutboxPending: 1})
		b.step(time.Minute)
		err := cluster.Client.Delete(ctx, b.get())
		Expect(apierrors.IsForbidden(err)).To(BeTrue(), "%v", err)
		Expect(err.Error()).To(And(ContainSubstring("7 appointments"), ContainSubstring("2 open"), ContainSubstring("1 events"), ContainSubstring(common.ForceDeleteAnnotation)))

		force(b)
		Expect(cluster.Client.Delete(ctx, b.get())).To(Succeed())
		b.step(time.Second)
		Expect(gone(b)).To(BeTrue())
		Expect(b.told()).To(ContainElement(ContainSubstring("CHG1: site closes")))
	})

	It("is refused while nobody knows what is held", func(ctx SpecContext) {
		b := newBench(ctx, "unknown")
		b.prober.Down(true)
		b.step(0)
		b.database(3)
		b.step(30 * time.Second)
		Expect(b.get().Status.Backlog).To(BeNil())
		err := cluster.Client.Delete(ctx, b.get())
		Expect(apierrors.IsForbidden(err)).To(BeTrue(), "%v", err)
	})

	It("waits for the exact count, which admission cannot know", func(ctx SpecContext) {
		b := running(ctx, "late")
		Expect(cluster.Client.Delete(ctx, b.get())).To(Succeed())
		b.prober.Count(ports.BookingStatus{Bookings: 1})
		b.step(time.Second)
		Expect(b.condition("Stalled").Reason).To(Equal(common.ReasonUnprocessedWork))
		Expect(b.condition("Stalled").Message).To(ContainSubstring("1 appointments"))

		By("closing, counting again, and only then going")
		b.prober.Count(ports.BookingStatus{})
		b.step(time.Second)
		Expect(intake(b)).To(Equal(booking.IntakeClosed))
		Expect(gone(b)).To(BeFalse())

		By("opening again when a last request came through")
		b.prober.Count(ports.BookingStatus{Bookings: 1})
		b.step(time.Minute)
		Expect(intake(b)).To(Equal(booking.IntakeOpen))
		b.prober.Count(ports.BookingStatus{})
		b.step(time.Second)
		b.step(3 * time.Minute)
		Expect(gone(b)).To(BeTrue())
	})

	It("waits when nobody answers", func(ctx SpecContext) {
		b := running(ctx, "silent")
		Expect(cluster.Client.Delete(ctx, b.get())).To(Succeed())
		b.prober.Down(true)
		b.step(10 * time.Minute)
		Expect(b.condition("Stalled").Reason).To(Equal(common.ReasonStateUnknown))
		Expect(gone(b)).To(BeFalse())
		force(b)
		b.step(time.Second)
		Expect(gone(b)).To(BeTrue())
	})

	It("goes at once when there never was a database", func(ctx SpecContext) {
		b := newBench(ctx, "empty")
		_, err := (&scope{Reconciler: b.reconciler, before: b.get(), service: b.get()}).hold(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(cluster.Client.Delete(ctx, b.get())).To(Succeed())
		b.step(time.Second)
		Expect(gone(b)).To(BeTrue())
	})
})
