// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// Default sets what is absent to the defaults that the resource's schema states.
func (c *GatewayConfig) Default() {
	or(&c.Acknowledge, common.AcknowledgeSite)
	or(&c.Limits.MaxRequestBytes, 5_000_000)
	or(&c.Limits.MaxMessageBytes, 100_000_000)
	or(&c.Limits.InFlightBytes, 64<<20)
	or(&c.Retention.UndeliveredAfter, hours(120))
	or(&c.Retention.DeleteAfter, hours(720))
	for i := range c.Suppliers {
		or(&c.Suppliers[i].Traffic, TrafficOpen)
	}
	for i := range c.Routes {
		r := &c.Routes[i]
		or(&r.Delivery, DeliveryInbox)
		or(&r.Timeout, metav1.Duration{Duration: 30 * time.Second})
		or(&r.Traffic, TrafficOpen)
		if r.Reliability != nil {
			or(&r.Reliability.DuplicateElimination, DuplicateEliminationAlways)
		}
	}
}

func or[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func hours(n int) metav1.Duration { return metav1.Duration{Duration: time.Duration(n) * time.Hour} }
