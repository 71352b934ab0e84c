// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// HandoverAnnotation of a FailoverPolicy is what a failover at the other site asks of this
// one: a Handover as JSON. PromiseAnnotation is what the other site was promised: a Promise as
// JSON, written by the other site while this one takes nothing over.
const (
	HandoverAnnotation = "spine.nhs.uk/handover"
	PromiseAnnotation  = "spine.nhs.uk/promise"
)

// SiteVote is the witness's vote.
type SiteVote struct {
	// site that is active; empty before the first vote.
	// +optional
	// +kubebuilder:validation:MaxLength=20
	Site string `json:"site,omitempty"`
	// epoch is the fencing number.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Epoch int64 `json:"epoch,omitempty"`
	// alone: the site acknowledges without the other one.
	// +optional
	Alone bool `json:"alone,omitempty"`
	// until when the vote holds.
	// +optional
	Until *metav1.MicroTime `json:"until,omitempty"`
	// readAt is when the witness last answered.
	// +optional
	ReadAt *metav1.MicroTime `json:"readAt,omitempty"`
}

// Taking is a site's record that it is about to take the vote: from then on it promises the
// other one nothing.
type Taking struct {
	// epoch of the vote that is to be taken.
	// +kubebuilder:validation:Minimum=1
	Epoch int64 `json:"epoch"`
	// operation that takes it, by name.
	// +kubebuilder:validation:MaxLength=253
	Operation string `json:"operation"`
	// tokens with which the databases are promoted without a loss, one for each service; none
	// when the site that is left does not hand over.
	// +optional
	// +listType=map
	// +listMapKey=service
	// +kubebuilder:validation:MaxItems=8
	Tokens []PromotionToken `json:"tokens,omitempty"`
}

// PromotionToken of one service.
type PromotionToken struct {
	// service as Kind/namespace/name.
	// +kubebuilder:validation:MaxLength=160
	Service string `json:"service"`
	// token as the other site's database gave it.
	// +kubebuilder:validation:MaxLength=512
	Token string `json:"token"`
}

// PeerStatus is what is known of the other site.
type PeerStatus struct {
	// reachable: its manager's state was read in the last look.
	// +optional
	Reachable bool `json:"reachable,omitempty"`
	// reachedAt is when it last was.
	// +optional
	ReachedAt *metav1.MicroTime `json:"reachedAt,omitempty"`
	// probeFailures of deep probes through its edge, in a row.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ProbeFailures int32 `json:"probeFailures,omitempty"`
	// probedAt is when the last probe ended.
	// +optional
	ProbedAt *metav1.MicroTime `json:"probedAt,omitempty"`
	// heldAllAt is when this site last knew that it had all that the other one had acknowledged.
	// +optional
	HeldAllAt *metav1.MicroTime `json:"heldAllAt,omitempty"`
	// acknowledged messages of the other site's ledger, as last read.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Acknowledged int64 `json:"acknowledged,omitempty"`
	// perSecond is how many more there were at most in a second, rounded up.
	// +optional
	// +kubebuilder:validation:Minimum=0
	PerSecond int64 `json:"perSecond,omitempty"`
}

// FailoverPolicyStatus is what the manager of this site does and sees.
type FailoverPolicyStatus struct {
	// observedGeneration is the generation that was last looked at.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// role of all services at this site, once it is brought about.
	// +optional
	Role common.SiteRole `json:"role,omitempty"`
	// epoch of that role's order.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Epoch int64 `json:"epoch,omitempty"`
	// handedOver is the operation at the other site whose wish is fulfilled: with the role
	// Quiesced nothing is acknowledged here, with Standby tokens are there.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	HandedOver string `json:"handedOver,omitempty"`
	// tokens of the databases that were handed over.
	// +optional
	// +listType=map
	// +listMapKey=service
	// +kubebuilder:validation:MaxItems=8
	Tokens []PromotionToken `json:"tokens,omitempty"`
	// vote as it was last read.
	// +optional
	Vote SiteVote `json:"vote,omitzero"`
	// promisedUntil is until when the other site has promised to take nothing over.
	// +optional
	PromisedUntil *metav1.MicroTime `json:"promisedUntil,omitempty"`
	// followedAt is when the other site last had all that was acknowledged here.
	// +optional
	FollowedAt *metav1.MicroTime `json:"followedAt,omitempty"`
	// taking is set from before this site takes the vote until it has it or gave up.
	// +optional
	Taking *Taking `json:"taking,omitempty"`
	// movedAt is when the vote last came to this site.
	// +optional
	MovedAt *metav1.MicroTime `json:"movedAt,omitempty"`
	// peer is what is known of the other site.
	// +optional
	Peer PeerStatus `json:"peer,omitzero"`
	// conditions: Voted, Takeover.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}
