// SPDX-License-Identifier: Apache-2.0

package messagingservice

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/ports/deepprobe"
)

func normal(m *api.MessagingService, reason, message string) kit.Event {
	return kit.Event{Object: m, Type: corev1.EventTypeNormal, Reason: reason, Message: message}
}

func warning(m *api.MessagingService, reason, message string) kit.Event {
	return kit.Event{Object: m, Type: corev1.EventTypeWarning, Reason: reason, Message: message}
}

func applied(m *api.MessagingService, part, message string) kit.Event {
	return normal(m, "Applied", part+" applied: "+message)
}

func released(m *api.MessagingService, operation string) kit.Event {
	return normal(m, "Released", "gateways run again: "+operation+", which held them, has ended")
}

func imageGood(m *api.MessagingService, image string) kit.Event {
	return normal(m, "ImageGood", "every gateway runs "+image+" and the deep probe passes")
}

// probeFailed is told once for a gateway and a stage: errors of connections hold another port each time.
func probeFailed(m *api.MessagingService, a deepprobe.Answer) kit.Event {
	e := warning(m, common.ReasonProbeFailed, a.Detail)
	e.Topic = a.Pod + "/" + a.Stage
	return e
}

func deletionForced(m *api.MessagingService, reason string) kit.Event {
	return warning(m, "DeletionForced", "deleted with whatever work it held, for this reason: "+reason)
}

func deletionBlocked(m *api.MessagingService, unsettled int64) kit.Event {
	e := warning(m, common.ReasonUnprocessedWork, fmt.Sprintf("the deletion waits for %d unsettled messages", unsettled))
	e.Topic = "deletion" // the number changes all the time
	return e
}

// conditionChanged tells of a condition that took another status.
func conditionChanged(m *api.MessagingService, before, after metav1.Condition) kit.Event {
	message := fmt.Sprintf("%s is %s: %s", after.Type, after.Status, after.Message)
	good := metav1.ConditionTrue
	if after.Type == common.ConditionStalled {
		good = metav1.ConditionFalse
	}
	if after.Status == good || after.Type == common.ConditionProgressing || before.Type == "" {
		return normal(m, after.Reason, message)
	}
	return warning(m, after.Reason, message)
}
