// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// GatewaySpec is the message gateway.
type GatewaySpec struct {
	common.WorkloadSpec `json:",inline"`
	// limits of each gateway.
	// +optional
	// +kubebuilder:default={}
	Limits Limits `json:"limits,omitzero"`
}

// Exposure is how senders and receivers reach the gateways.
//
// +kubebuilder:validation:XValidation:rule="!has(self.meshPort) || !has(self.bulkPort) || self.meshPort != self.bulkPort",message="meshPort and bulkPort must differ: both are on the same address"
type Exposure struct {
	common.Exposure `json:",inline"`
	// hostNames that clients use besides the edge address; they are put into the server's
	// certificate. At most 8; DNS names.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=8
	HostNames []common.HostName `json:"hostNames,omitempty"`
	// meshPort of the MESH API. Default 8443; 1024 to 65535.
	// +optional
	// +kubebuilder:default=8443
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=65535
	MeshPort int32 `json:"meshPort,omitempty"`
	// bulkPort of the bulk interface. Default 8444; 1024 to 65535.
	// +optional
	// +kubebuilder:default=8444
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=65535
	BulkPort int32 `json:"bulkPort,omitempty"`
}

// BacklogSpec says when acknowledged work has waited too long.
//
// +kubebuilder:validation:XValidation:rule="!has(self.overdueAfter) || duration(self.overdueAfter) >= duration('1m') && duration(self.overdueAfter) <= duration('720h')",message="overdueAfter must be between 1m and 720h"
type BacklogSpec struct {
	// overdueAfter is the age of the oldest unsettled message from which on the backlog counts as
	// overdue. Default 24h; 1m to 720h.
	// +optional
	// +kubebuilder:default="24h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`
	// +kubebuilder:validation:MaxLength=32
	OverdueAfter metav1.Duration `json:"overdueAfter,omitempty"`
}

// MessagingServiceSpec is what a person asks for.
//
// +kubebuilder:validation:XValidation:rule="!has(self.site) || !has(self.database.endpoint)",message="two sites need a database that the operator makes, as it is the one that copies it: remove site or database.endpoint"
// +kubebuilder:validation:XValidation:rule="self.acknowledge == 'Site' || has(self.site)",message="acknowledge BothSites needs site: name the other site there, or use Site"
// +kubebuilder:validation:XValidation:rule="!has(self.routes) || self.routes.all(r, has(self.suppliers) && self.suppliers.exists(s, s.name == r.supplier))",message="every route's supplier must be one of spec.suppliers"
type MessagingServiceSpec struct {
	// site is which of two sites this is. Absent: there is one site only.
	// +optional
	Site *common.SiteSpec `json:"site,omitempty"`
	// acknowledge: Site (default) waits for the primary and one standby of this site, BothSites
	// for the other site besides.
	// +optional
	// +kubebuilder:default=Site
	Acknowledge common.Acknowledge `json:"acknowledge,omitempty"`
	// routes, one for each interaction; at most 200. A message of another interaction is refused.
	// +optional
	// +listType=map
	// +listMapKey=interaction
	// +kubebuilder:validation:MaxItems=200
	Routes []Route `json:"routes,omitempty"`
	// suppliers that routes name; at most 50.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=50
	Suppliers []Supplier `json:"suppliers,omitempty"`
	// gateway is the program that senders and receivers talk to.
	Gateway GatewaySpec `json:"gateway"`
	// database holds the ledger: the truth about every message.
	Database common.DatabaseSpec `json:"database"`
	// broker dispatches; it can always be rebuilt from the ledger.
	Broker common.BrokerSpec `json:"broker"`
	// mailboxesSecret holds mailboxes.yaml: the parties, their passwords and certificates.
	MailboxesSecret common.LocalSecret `json:"mailboxesSecret"`
	// retention of messages.
	// +optional
	// +kubebuilder:default={}
	Retention Retention `json:"retention,omitzero"`
	// backlog says when acknowledged work has waited too long.
	// +optional
	// +kubebuilder:default={}
	Backlog BacklogSpec `json:"backlog,omitzero"`
	// exposure to clients.
	// +optional
	// +kubebuilder:default={}
	Exposure Exposure `json:"exposure,omitzero"`
	// probe of the whole path.
	// +optional
	// +kubebuilder:default={}
	Probe common.ProbeSpec `json:"probe,omitzero"`
	// topology by which members are kept apart.
	// +optional
	// +kubebuilder:default={}
	Topology common.Topology `json:"topology,omitzero"`
	// issuers of the certificates.
	// +optional
	// +kubebuilder:default={}
	Issuers common.Issuers `json:"issuers,omitzero"`
}

// SupplierCount is a number of messages for one supplier.
type SupplierCount struct {
	// supplier by name.
	// +kubebuilder:validation:MaxLength=63
	Supplier string `json:"supplier"`
	// count of messages.
	// +kubebuilder:validation:Minimum=0
	Count int64 `json:"count"`
}

// Backlog is acknowledged work, as the gateways last counted it.
type Backlog struct {
	// acknowledged messages since the ledger began.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Acknowledged int64 `json:"acknowledged"`
	// settled messages since the ledger began.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Settled int64 `json:"settled"`
	// unsettled messages: acknowledged, and neither settled nor deleted.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Unsettled int64 `json:"unsettled"`
	// oldestTime is when the oldest unsettled message was acknowledged. Absent when there is none.
	// +optional
	OldestTime *metav1.Time `json:"oldestTime,omitempty"`
	// deadLettered messages by supplier; at most 50 suppliers.
	// +optional
	// +listType=map
	// +listMapKey=supplier
	// +kubebuilder:validation:MaxItems=50
	DeadLettered []SupplierCount `json:"deadLettered,omitempty"`
	// observedTime is when the gateways were last asked with success.
	ObservedTime metav1.Time `json:"observedTime"`
}

// MessagingServiceStatus is what the operator sees.
type MessagingServiceStatus struct {
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
	// messagesAtRisk is how many acknowledged messages stand on a single disk: "0" while the
	// primary and a standby hold them; "unknown" when nobody can tell.
	// +optional
	// +kubebuilder:validation:MaxLength=20
	MessagesAtRisk string `json:"messagesAtRisk,omitempty"`
	// backlog as last counted. Absent until the gateways first answered.
	// +optional
	Backlog *Backlog `json:"backlog,omitempty"`
	// probe is what the deep probe has seen.
	// +optional
	Probe common.ProbeStatus `json:"probe,omitzero"`
	// gateway is where the gateway stands between two images.
	// +optional
	Gateway common.RolloutStatus `json:"gateway,omitzero"`
	// site is what the service does here, of two sites. Absent when there is one only.
	// +optional
	Site *common.SiteStatus `json:"site,omitempty"`
	// addresses where clients reach the service; at most 8.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=8
	Addresses []common.Address `json:"addresses,omitempty"`
}

// MessagingService carries Spine's messages at one site: gateways, ledger and broker.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=messagingservices,shortName=msgsvc,categories=spine
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="REDUNDANCY",type=string,JSONPath=`.status.redundancy.summary`
// +kubebuilder:printcolumn:name="LOSS",type=string,JSONPath=`.status.messagesAtRisk`,description="Acknowledged messages that stand on a single disk"
// +kubebuilder:printcolumn:name="BACKLOG",type=integer,JSONPath=`.status.backlog.unsettled`
// +kubebuilder:printcolumn:name="OLDEST",type=date,JSONPath=`.status.backlog.oldestTime`
// +kubebuilder:printcolumn:name="REASON",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,priority=1
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 40",message="the name has at most 40 characters, as its parts' names are made from it"
type MessagingService struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what a person asks for.
	Spec MessagingServiceSpec `json:"spec"`
	// status is what the operator sees.
	// +optional
	Status MessagingServiceStatus `json:"status,omitzero"`
}

// MessagingServiceList is a list of MessagingService.
//
// +kubebuilder:object:root=true
type MessagingServiceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	// items of the list.
	Items []MessagingService `json:"items"`
}
