// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package bookingservice

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
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
})
