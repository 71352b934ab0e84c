// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package bookingservice

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

var _ = Describe("What operations write on a BookingService", func() {
	It("counts beside the specification, until it is taken away", func(ctx SpecContext) {
		b := running(ctx, "overrides")
		before := b.deployment().Spec.Template
		b.change(func(s *booking.BookingService) { s.Annotations = map[string]string{common.ReplicasAnnotation: "3"} })
		b.step(30 * time.Second)
		Expect(b.deployment().Spec.Replicas).To(HaveValue(BeEquivalentTo(3)))
		Expect(b.deployment().Spec.Template).To(Equal(before), "none is replaced")
		b.replicas(3, 2)
		b.step(30 * time.Second)
		Expect(b.get().Status.Redundancy.Summary).To(HaveSuffix("2/3 service"))

		b.replicas(3, 3)
		b.steps(time.Minute)
		b.change(func(s *booking.BookingService) { s.Annotations = nil })
		b.step(30 * time.Second)
		Expect(b.deployment().Spec.Replicas).To(HaveValue(BeEquivalentTo(2)))
	})
})
