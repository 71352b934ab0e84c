// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// FailoverMode says whether the site that is left takes part.
//
// +kubebuilder:validation:Enum=Planned;Unplanned
type FailoverMode string

const (
	// FailoverPlanned hands over: the site that is left stops, the other one gets all that it
	// has, then serves. Nothing is lost, and both sites have to answer.
	FailoverPlanned FailoverMode = "Planned"
	// FailoverUnplanned takes over, with or without an answer of the site that is left. What the
	// other one never received is lost, as far as maxLoss allows.
	FailoverUnplanned FailoverMode = "Unplanned"
)

// The actions of a Failover, as rules of approval name them.
const (
	ActionPlannedFailover   Action = "PlannedFailover"
	ActionUnplannedFailover Action = "UnplannedFailover"
)

// LossLimit is how much acknowledged work an unplanned failover may lose.
type LossLimit struct {
	// messages that may be lost. Default 0.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000000
	Messages int64 `json:"messages,omitempty"`
	// seconds of acknowledged work that may be lost. Default 0.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=31536000
	Seconds int64 `json:"seconds,omitempty"`
}

// AcceptUnknownLoss is a person's word to go on although nobody can tell what is lost.
type AcceptUnknownLoss struct {
	// reason for the record.
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=500
	Reason string `json:"reason"`
}

// FailoverSpec moves all services of a pair of sites from one to the other.
//
// +kubebuilder:validation:XValidation:rule="self.mode == oldSelf.mode && self.to == oldSelf.to && has(self.maxLoss) == has(oldSelf.maxLoss) && (!has(self.maxLoss) || self.maxLoss == oldSelf.maxLoss) && has(self.acceptUnknownLoss) == has(oldSelf.acceptUnknownLoss) && (!has(self.acceptUnknownLoss) || self.acceptUnknownLoss == oldSelf.acceptUnknownLoss)",message="what an operation does cannot change: make another one"
// +kubebuilder:validation:XValidation:rule="self.mode == 'Unplanned' || !has(self.maxLoss) && !has(self.acceptUnknownLoss)",message="maxLoss and acceptUnknownLoss are for the mode Unplanned: a planned failover loses nothing"
type FailoverSpec struct {
	OperationSpec `json:",inline"`
	// mode: Planned or Unplanned.
	Mode FailoverMode `json:"mode"`
	// to is the site that serves afterwards: the one where this resource is made.
	To common.SiteName `json:"to"`
	// maxLoss of an unplanned failover, checked when it is planned and again before the point
	// of no return. Default: nothing may be lost.
	// +optional
	MaxLoss *LossLimit `json:"maxLoss,omitempty"`
	// acceptUnknownLoss lets an unplanned failover go on when nobody can tell what is lost.
	// A loss that is known has to be within maxLoss all the same.
	// +optional
	AcceptUnknownLoss *AcceptUnknownLoss `json:"acceptUnknownLoss,omitempty"`
}

// Failover moves all services from the other site to this one. It is made in spine-system of
// the site that is to serve: planned, approved where that is asked for, carried out step by
// step, and proven.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=spine
// +kubebuilder:printcolumn:name="Mode",type=string,JSONPath=`.spec.mode`
// +kubebuilder:printcolumn:name="To",type=string,JSONPath=`.spec.to`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Dry run",type=boolean,JSONPath=`.spec.dryRun`
// +kubebuilder:printcolumn:name="By",type=string,JSONPath=`.spec.requestedBy`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Failover struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what was asked for.
	Spec FailoverSpec `json:"spec"`
	// status is what became of it.
	// +optional
	Status OperationStatus `json:"status,omitzero"`
}

// FailoverList holds Failovers.
//
// +kubebuilder:object:root=true
type FailoverList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	// items of the list.
	Items []Failover `json:"items"`
}
