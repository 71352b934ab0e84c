// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Activity is whether a service is to run now.
//
// +kubebuilder:validation:Enum=Awake;Asleep
type Activity string

const (
	// ActivityAwake runs every part.
	ActivityAwake Activity = "Awake"
	// ActivityAsleep runs none, and keeps everything that was accepted.
	ActivityAsleep Activity = "Asleep"
)

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
	// asked is the activity that the specification asked for when this was written.
	// +optional
	Asked Activity `json:"asked,omitempty"`
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
