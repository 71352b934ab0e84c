// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package bookingservice

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"k8s.io/utils/ptr"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/operatortest"
)

var _ = Describe("A BookingService that an operation holds", func() {
	It("changes no part until the lease is given back", func(ctx SpecContext) {
		b := running(ctx, "paused")
		_, release, err := cluster.Hold(ctx, "BookingService", namespace, b.key.Name)
		Expect(err).NotTo(HaveOccurred())
		wanted := operatortest.Image("booking-service", '2')
		b.change(func(s *booking.BookingService) { s.Spec.Service.Image = wanted })
		before := b.deployment().ResourceVersion
		b.step(30 * time.Second)
		Expect(b.deployment().ResourceVersion).To(Equal(before))
		Expect(b.condition("Progressing").Message).To(Equal("ServiceRecovery spine-booking/recover-paused is running: nothing is changed meanwhile"))

		Expect(release()).To(Succeed())
		b.step(30 * time.Second)
		Expect(b.image()).To(Equal(wanted))
	})

	It("runs no program while the operation says so, and lets it run again once that has ended", func(ctx SpecContext) {
		b := running(ctx, "stopped")
		_, release, err := cluster.Hold(ctx, "BookingService", namespace, b.key.Name)
		Expect(err).NotTo(HaveOccurred())
		b.annotate(common.HeldAnnotation, "recover-stopped")
		d := b.deployment()
		d.Spec.Replicas = ptr.To[int32](0)
		Expect(cluster.Client.Update(ctx, d)).To(Succeed())
		b.replicas(0, 0)
		b.unpod("stopped-1")
		b.prober.Down(true)
		b.steps(time.Minute)
		Expect(b.get().Annotations).To(HaveKey(common.HeldAnnotation), "it is the operation's to stop them, and to say when")
		Expect(b.asked()).To(BeZero())

		Expect(release()).To(Succeed())
		b.step(30 * time.Second)
		b.step(30 * time.Second)
		Expect(b.get().Annotations).NotTo(HaveKey(common.HeldAnnotation))
		Expect(b.asked()).To(BeEquivalentTo(2))
		Expect(b.told()).To(ContainElement(ContainSubstring("recover-stopped, which held it, has ended")))
	})
})
