// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// FailoverPolicyName is the name of a site's only FailoverPolicy, in spine-system.
const FailoverPolicyName = "site"

// PairedService is a service that fails over with the others of its site.
type PairedService struct {
	// kind: MessagingService or BookingService.
	// +kubebuilder:validation:Enum=MessagingService;BookingService
	Kind string `json:"kind"`
	// namespace of the service, the same at both sites.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace"`
	// name of the service, the same at both sites.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// peerProbe is host:port where the deep probe of the service at the other site is reached
	// from this one: the way that its clients' requests take.
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=259
	// +kubebuilder:validation:Pattern=`^[^:]+:[0-9]{1,5}$`
	PeerProbe string `json:"peerProbe"`
}

// AutomaticMode says whether a failover may begin without a person.
//
// +kubebuilder:validation:Enum=Never;Automatic
type AutomaticMode string

const (
	// AutomaticNever leaves failovers to people.
	AutomaticNever AutomaticMode = "Never"
	// AutomaticOn takes over when the other site is lost and no more than maxLoss is.
	AutomaticOn AutomaticMode = "Automatic"
)

// Automatic is when a failover may begin by itself.
//
// +kubebuilder:validation:XValidation:rule="!has(self.coolDown) || duration(self.coolDown) >= duration('1m') && duration(self.coolDown) <= duration('24h')",message="coolDown must be between 1m and 24h"
type Automatic struct {
	// mode: Never (default) or Automatic.
	// +optional
	// +kubebuilder:default=Never
	Mode AutomaticMode `json:"mode,omitempty"`
	// failures: how many deep probes of the other site must fail in a row, for every service or
	// for one, before it counts as lost. Default 3; 2 to 20. The witness has to agree besides.
	// +optional
	// +kubebuilder:default=3
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=20
	Failures int32 `json:"failures,omitempty"`
	// maxLoss of an automatic failover. Default: nothing may be lost.
	// +optional
	// +kubebuilder:default={}
	MaxLoss LossLimit `json:"maxLoss,omitzero"`
	// coolDown after any failover, before one may begin by itself. Default 10m; 1m to 24h.
	// +optional
	// +kubebuilder:default="10m"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`
	// +kubebuilder:validation:MaxLength=32
	CoolDown metav1.Duration `json:"coolDown,omitzero"`
}

// FailoverPolicySpec is how one of two sites keeps or takes the right to serve.
//
// +kubebuilder:validation:XValidation:rule="self.site != self.peer",message="peer must be another site than site"
// +kubebuilder:validation:XValidation:rule="!has(self.term) || duration(self.term) >= duration('10s') && duration(self.term) <= duration('5m')",message="term must be between 10s and 5m"
// +kubebuilder:validation:XValidation:rule="!has(self.clockSkew) || duration(self.clockSkew) >= duration('100ms') && duration(self.clockSkew) <= duration('5s')",message="clockSkew must be between 100ms and 5s"
type FailoverPolicySpec struct {
	// site is the name of this site.
	Site common.SiteName `json:"site"`
	// peer is the name of the other site.
	Peer common.SiteName `json:"peer"`
	// services that are active at one site together, at most 8.
	// +listType=map
	// +listMapKey=kind
	// +listMapKey=namespace
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Services []PairedService `json:"services"`
	// term of a vote: how long a site may acknowledge on its own disks alone after its vote was
	// last renewed, and how long the other one waits at least. Default 20s; 10s to 5m.
	// +optional
	// +kubebuilder:default="20s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`
	// +kubebuilder:validation:MaxLength=32
	Term metav1.Duration `json:"term,omitzero"`
	// clockSkew is the most by which the clocks of the two sites differ. Default 2s; 100ms to 5s.
	// +optional
	// +kubebuilder:default="2s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`
	// +kubebuilder:validation:MaxLength=32
	ClockSkew metav1.Duration `json:"clockSkew,omitzero"`
	// automatic failover to this site.
	// +optional
	// +kubebuilder:default={}
	Automatic Automatic `json:"automatic,omitzero"`
}

// FailoverPolicy is this site's part in a pair of sites, of which one serves. There is one, of
// the name "site", in spine-system of each site.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=failoverpolicies,categories=spine
// +kubebuilder:printcolumn:name="Site",type=string,JSONPath=`.spec.site`
// +kubebuilder:printcolumn:name="Role",type=string,JSONPath=`.status.role`
// +kubebuilder:printcolumn:name="Epoch",type=integer,JSONPath=`.status.vote.epoch`
// +kubebuilder:printcolumn:name="Serves",type=string,JSONPath=`.status.vote.site`
// +kubebuilder:printcolumn:name="Takeover",type=string,JSONPath=`.status.conditions[?(@.type=="Takeover")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Takeover")].reason`
// +kubebuilder:validation:XValidation:rule="self.metadata.name == 'site'",message="the name must be site: a site has one FailoverPolicy"
type FailoverPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what a person asks for.
	Spec FailoverPolicySpec `json:"spec"`
	// status is what the manager does and sees.
	// +optional
	Status FailoverPolicyStatus `json:"status,omitzero"`
}

// FailoverPolicyList holds FailoverPolicies.
//
// +kubebuilder:object:root=true
type FailoverPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	// items of the list.
	Items []FailoverPolicy `json:"items"`
}
