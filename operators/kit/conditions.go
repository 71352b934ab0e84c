// SPDX-License-Identifier: Apache-2.0

package kit

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// maxMessage keeps a condition readable; the API allows 32768.
const maxMessage = 1024

// Conditions writes the conditions of one generation at one time.
type Conditions struct {
	list       *[]metav1.Condition
	generation int64
	now        time.Time
}

// NewConditions returns a writer to list.
func NewConditions(list *[]metav1.Condition, generation int64, now time.Time) Conditions {
	return Conditions{list, generation, now}
}

// Set writes a condition; its transition time moves only when its status changes.
func (c Conditions) Set(kind string, status metav1.ConditionStatus, reason, message string) {
	if r := []rune(message); len(r) > maxMessage {
		message = string(r[:maxMessage-1]) + "…"
	}
	meta.SetStatusCondition(c.list, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: message,
		ObservedGeneration: c.generation, LastTransitionTime: metav1.NewTime(c.now),
	})
}

// Get returns a condition, or an empty one.
func (c Conditions) Get(kind string) metav1.Condition {
	if found := meta.FindStatusCondition(*c.list, kind); found != nil {
		return *found
	}
	return metav1.Condition{}
}

// True writes a condition that holds.
func (c Conditions) True(kind, reason, message string) {
	c.Set(kind, metav1.ConditionTrue, reason, message)
}

// False writes a condition that does not hold.
func (c Conditions) False(kind, reason, message string) {
	c.Set(kind, metav1.ConditionFalse, reason, message)
}

// Unknown writes a condition of which nobody can tell whether it holds.
func (c Conditions) Unknown(kind, reason, message string) {
	c.Set(kind, metav1.ConditionUnknown, reason, message)
}

// Backup writes whether an earlier state of the database can be had back. Known is false until its
// engine has said anything; first is the earliest such state, empty while there is none.
func (c Conditions) Backup(known, failing bool, detail, first string) {
	switch {
	case failing:
		c.False(common.ConditionBackup, common.ReasonBackupFailing, detail)
	case !known || first == "":
		c.Unknown(common.ConditionBackup, common.ReasonStarting, "no copy is in the object store yet")
	default:
		c.True(common.ConditionBackup, common.ReasonAsSpecified, "every state since "+first+" can be had back")
	}
}
