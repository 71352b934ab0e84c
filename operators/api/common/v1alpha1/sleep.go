// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Activity is whether a service is to run now.
//
// +kubebuilder:validation:Enum=Awake;Asleep;WorkingHours
type Activity string

const (
	// ActivityAwake runs every part.
	ActivityAwake Activity = "Awake"
	// ActivityAsleep runs none, and keeps everything that was accepted.
	ActivityAsleep Activity = "Asleep"
	// ActivityWorkingHours is Awake on working days from one time of day to another, and else Asleep.
	ActivityWorkingHours Activity = "WorkingHours"
)

// WorkingHours are the hours of Monday to Friday in which a service is awake.
//
// +kubebuilder:validation:XValidation:rule="self.wake < self.sleep",message="sleep must be after wake, on the same day",fieldPath=".sleep"
type WorkingHours struct {
	// wake is the time of day at which it begins to wake, such as 07:00.
	// +optional
	// +kubebuilder:default="07:00"
	// +kubebuilder:validation:MaxLength=5
	// +kubebuilder:validation:Pattern=`^([01][0-9]|2[0-3]):[0-5][0-9]$`
	Wake string `json:"wake,omitempty"`
	// sleep is the time of day at which it begins to fall asleep, such as 19:00.
	// +optional
	// +kubebuilder:default="19:00"
	// +kubebuilder:validation:MaxLength=5
	// +kubebuilder:validation:Pattern=`^([01][0-9]|2[0-3]):[0-5][0-9]$`
	Sleep string `json:"sleep,omitempty"`
}

// Now says what an activity comes to at a time, Awake or Asleep, and when the clock changes that:
// the zero time when it never does. The hours are those of a time zone by its IANA name.
func (a Activity) Now(hours WorkingHours, timeZone string, now time.Time) (Activity, time.Time) {
	if a != ActivityWorkingHours {
		return a, time.Time{}
	}
	w := Window{Days: weekdays[time.Monday : time.Friday+1], From: hours.Wake, To: hours.Sleep, TimeZone: timeZone}
	open, until := w.Open(now)
	if open || until.IsZero() { // a time zone that nobody knows is said elsewhere, and puts nothing to sleep
		return ActivityAwake, until
	}
	return ActivityAsleep, until
}

// SleepPhase is where a service is between awake and asleep.
//
// +kubebuilder:validation:Enum=Awake;FallingAsleep;Asleep;Waking
type SleepPhase string

const (
	// SleepAwake: every part runs, and clients are let in.
	SleepAwake SleepPhase = "Awake"
	// SleepFalling: its parts go, one after the other.
	SleepFalling SleepPhase = "FallingAsleep"
	// SleepAsleep: no part of it runs.
	SleepAsleep SleepPhase = "Asleep"
	// SleepWaking: its parts come back, in the opposite order.
	SleepWaking SleepPhase = "Waking"
)

// ReasonAsleep: the service is asleep, or on its way there or back. Nothing of it is acted on
// before it is awake. It has a page of that name in runbooks/.
const ReasonAsleep = "Asleep"

// SleepStatus says how far a service is awake, and what its sleeps have saved.
type SleepStatus struct {
	// phase is Awake, FallingAsleep, Asleep or Waking.
	Phase SleepPhase `json:"phase"`
	// since is when the phase began.
	Since metav1.Time `json:"since"`
	// asked is what the specification asked for when this was written: Awake or Asleep, of
	// WorkingHours what the clock made of it.
	// +optional
	Asked Activity `json:"asked,omitempty"`
	// until is when the clock asks for the other. Absent unless the specification asks for
	// WorkingHours.
	// +optional
	Until *metav1.Time `json:"until,omitempty"`
	// message says which step is waited for, and where a part is not the operator's to stop.
	// Empty while awake.
	// +optional
	// +kubebuilder:validation:MaxLength=500
	Message string `json:"message,omitempty"`
	// drainedTime is when it was last seen, behind the closed edge, that no request was in flight
	// and every event was sent. The program is stopped after that only. Absent while awake.
	// +optional
	DrainedTime *metav1.Time `json:"drainedTime,omitempty"`
	// freed is what the sleeping parts had reserved. Absent unless asleep.
	// +optional
	Freed *FreedResources `json:"freed,omitempty"`
	// saved is what all sleeps saved that have ended; the one that lasts is freed, since since.
	// +optional
	Saved SavedResources `json:"saved,omitzero"`
}

// FreedResources were reserved by containers, and are free for others.
type FreedResources struct {
	// cpu in cores.
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=20
	CPU resource.Quantity `json:"cpu"`
	// memory in bytes.
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=20
	Memory resource.Quantity `json:"memory"`
}

// SavedResources are sums over sleeps.
type SavedResources struct {
	// sleeps that have ended.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Sleeps int64 `json:"sleeps,omitempty"`
	// seconds asleep.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Seconds int64 `json:"seconds,omitempty"`
	// coreSeconds are cores that were free, times seconds.
	// +optional
	// +kubebuilder:validation:Minimum=0
	CoreSeconds int64 `json:"coreSeconds,omitempty"`
	// gibibyteSeconds are gibibytes of memory that were free, times seconds.
	// +optional
	// +kubebuilder:validation:Minimum=0
	GibibyteSeconds int64 `json:"gibibyteSeconds,omitempty"`
}

// SleepPhaseOf is the phase that a status says; Awake where it says none.
func SleepPhaseOf(s *SleepStatus) SleepPhase {
	if s == nil || s.Phase == "" {
		return SleepAwake
	}
	return s.Phase
}

// ToSleep says whether a service is to be asleep, from what its specification asks for and, of
// WorkingHours, from what its status says that the clock makes of it.
func ToSleep(asked Activity, s *SleepStatus) bool {
	return asked == ActivityAsleep || asked == ActivityWorkingHours && s != nil && s.Asked == ActivityAsleep
}
