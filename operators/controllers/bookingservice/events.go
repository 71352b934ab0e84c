// SPDX-License-Identifier: Apache-2.0

package bookingservice

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/ports/deepprobe"
)

func (s *scope) tell(e kit.Event) { s.events = append(s.events, e) }

func changing(b *booking.BookingService, what string) kit.Event {
	return kit.Event{Object: b, Type: corev1.EventTypeNormal, Reason: common.ReasonChanging, Message: "Changing " + what}
}

func rolledBack(b *booking.BookingService, from, to string) kit.Event {
	return kit.Event{Object: b, Type: corev1.EventTypeWarning, Reason: common.ReasonRolledBack,
		Message: fmt.Sprintf("Image %s did not work; going back to %s", from, to)}
}

func released(b *booking.BookingService, operation string) kit.Event {
	return kit.Event{Object: b, Type: corev1.EventTypeNormal, Reason: "Released",
		Message: "The program runs again: " + operation + ", which held it, has ended"}
}

func forced(b *booking.BookingService, reason string) kit.Event {
	return kit.Event{Object: b, Type: corev1.EventTypeWarning, Reason: "DeletionForced",
		Message: "Deleted without regard to what it held: " + clip(reason, 500)}
}

// probeFailed is told once for a replica and a stage: errors of connections hold another port each time.
func probeFailed(b *booking.BookingService, a deepprobe.Answer) kit.Event {
	return kit.Event{Object: b, Type: corev1.EventTypeWarning, Reason: common.ReasonProbeFailed, Topic: a.Pod + "/" + a.Stage, Message: a.Detail}
}

func uncounted(b *booking.BookingService, err error) kit.Event {
	return kit.Event{Object: b, Type: corev1.EventTypeWarning, Reason: common.ReasonStateUnknown, Topic: "count",
		Message: "Work that was accepted cannot be counted: " + err.Error()}
}
