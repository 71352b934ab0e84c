// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// BookingService runs e-RS's booking at one site: the database, the service with
// the FHIR API and the pages, and the evening poll.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=bookingservices,shortName=booksvc,categories=spine
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="ACTIVITY",type=string,JSONPath=`.status.sleep.phase`,description="Awake, Asleep, or on its way between them"
// +kubebuilder:printcolumn:name="REDUNDANCY",type=string,JSONPath=`.status.redundancy.summary`
// +kubebuilder:printcolumn:name="LOSS",type=string,JSONPath=`.status.loss`,description="What the loss of one more disk could lose"
// +kubebuilder:printcolumn:name="BACKLOG",type=integer,JSONPath=`.status.backlog.outboxPending`,description="Events that the message gateway has not accepted"
// +kubebuilder:printcolumn:name="OLDEST",type=date,JSONPath=`.status.backlog.oldestTime`
// +kubebuilder:printcolumn:name="ISSUES",type=integer,JSONPath=`.status.backlog.openIssues`,description="Open appointment-slot issues"
// +kubebuilder:printcolumn:name="REASON",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,priority=1
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 40",message="the name has at most 40 characters, as its parts' names are made from it"
type BookingService struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what a person asks for.
	Spec BookingServiceSpec `json:"spec"`
	// status is what the operator sees.
	// +optional
	Status BookingServiceStatus `json:"status,omitzero"`
}

// BookingServiceList is a list of BookingService.
//
// +kubebuilder:object:root=true
type BookingServiceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	// items of the list.
	Items []BookingService `json:"items"`
}

// Values of status.loss.
const (
	// LossNone: a standby holds every commit that was acknowledged.
	LossNone = "none"
	// LossUnknown: nobody can tell.
	LossUnknown = "unknown"
	// LossWritesStopped: no standby is left; writes wait, so that nothing can be lost.
	LossWritesStopped = "none, writes wait"
)

// BookingServiceStatus is what the operator sees.
type BookingServiceStatus struct {
	// observedGeneration is the generation that was last brought about without an error.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions: Ready, Progressing, Stalled, and one for each part.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// redundancy counts the members of each part.
	// +optional
	Redundancy common.Redundancy `json:"redundancy,omitzero"`
	// loss says what the loss of one more disk could lose: "none" while a standby
	// holds every commit, "none, writes wait" while there is no standby, "unknown"
	// when nobody can tell.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Loss string `json:"loss,omitempty"`
	// backlog as last counted. Absent until the service first answered.
	// +optional
	Backlog *Backlog `json:"backlog,omitempty"`
	// probe is what the deep probe has seen.
	// +optional
	Probe common.ProbeStatus `json:"probe,omitzero"`
	// service is where the service stands between two images.
	// +optional
	Service common.RolloutStatus `json:"service,omitzero"`
	// site is what the service does here, of two sites. Absent when there is one only.
	// +optional
	Site *common.SiteStatus `json:"site,omitempty"`
	// sleep says how far the service is awake, and what its sleeps have saved.
	// +optional
	Sleep *common.SleepStatus `json:"sleep,omitempty"`
	// addresses where clients reach the service; at most 8.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=8
	Addresses []common.Address `json:"addresses,omitempty"`
}

// Backlog is work that was accepted and is not done, as the service last counted it.
type Backlog struct {
	// outboxPending counts events that the message gateway has not accepted.
	// +optional
	// +kubebuilder:validation:Minimum=0
	OutboxPending int64 `json:"outboxPending"`
	// oldestTime is when the oldest of them was written. Absent when there is none.
	// +optional
	OldestTime *metav1.Time `json:"oldestTime,omitempty"`
	// openIssues counts appointment-slot issues that nobody has answered.
	// +optional
	// +kubebuilder:validation:Minimum=0
	OpenIssues int64 `json:"openIssues"`
	// bookings counts live appointments that are still to come.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Bookings int64 `json:"bookings"`
	// referrals counts all referrals.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Referrals int64 `json:"referrals"`
	// observedTime is when the service was last asked with success.
	ObservedTime metav1.Time `json:"observedTime"`
}

// Unprocessed counts what a deletion would take with it: events not yet sent,
// issues not yet answered, appointments still to come.
func (b *Backlog) Unprocessed() int64 { return b.OutboxPending + b.OpenIssues + b.Bookings }
