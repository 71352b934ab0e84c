// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"

// BookingServiceSpec is what a person asks for.
//
// +kubebuilder:validation:XValidation:rule="!has(self.site) || !has(self.database.endpoint)",message="two sites need a database that the operator makes, as it is the one that copies it: remove site or database.endpoint"
// +kubebuilder:validation:XValidation:rule="!has(self.site) || self.activity == 'Awake'",message="a service of two sites does not sleep, as the other site would take it over: remove activity or site",fieldPath=".activity"
// +kubebuilder:validation:XValidation:rule="self.acknowledge == 'Site' || has(self.site)",message="acknowledge BothSites needs site: name the other site there, or use Site"
// +kubebuilder:validation:XValidation:rule="self.sessions.idleMinutes <= self.sessions.maxMinutes",message="sessions.maxMinutes must be at least sessions.idleMinutes",fieldPath=".sessions.maxMinutes"
// +kubebuilder:validation:XValidation:rule="self.outbox.from != self.outbox.to",message="outbox.to must be another mailbox than outbox.from",fieldPath=".outbox.to"
// +kubebuilder:validation:XValidation:rule="self.poll.providerConcurrency <= self.poll.concurrency",message="poll.concurrency must be at least poll.providerConcurrency",fieldPath=".poll.concurrency"
// +kubebuilder:validation:XValidation:rule="self.service.replicas * self.capacity.databaseConnections <= 160",message="service.replicas times capacity.databaseConnections must be at most 160: the database accepts 200 connections, of which a roll-out and its own upkeep need some",fieldPath=".capacity.databaseConnections"
type BookingServiceSpec struct {
	// activity: Awake (default) runs the service, Asleep stops it part by part with everything
	// that it holds kept, until it is Awake again; WorkingHours has the clock do both. Environments
	// that serve patients refuse Asleep and WorkingHours.
	// +optional
	// +kubebuilder:default=Awake
	Activity common.Activity `json:"activity,omitempty"`
	// workingHours are when it is awake, in timeZone, where activity is WorkingHours. Default 07:00
	// to 19:00. No evening poll of slots begins while it sleeps.
	// +optional
	// +kubebuilder:default={wake: "07:00", sleep: "19:00"}
	WorkingHours common.WorkingHours `json:"workingHours,omitzero"`
	// site is which of two sites this is. Absent: there is one site only.
	// +optional
	Site *common.SiteSpec `json:"site,omitempty"`
	// acknowledge: Site (default) waits for the primary and one standby of this site, BothSites
	// for the other site besides.
	// +optional
	// +kubebuilder:default=Site
	Acknowledge common.Acknowledge `json:"acknowledge,omitempty"`
	Settings    `json:",inline"`
	// service is the program with the API and the pages.
	Service common.WorkloadSpec `json:"service"`
	// database holds the truth about referrals and appointments.
	Database common.DatabaseSpec `json:"database"`
	// gateway is the message gateway that the outbox sends through.
	Gateway GatewayReference `json:"gateway"`
	// tokens says which bearer tokens the API accepts.
	Tokens TokensSpec `json:"tokens"`
	// providerAccess says where providers' systems are.
	// +optional
	// +kubebuilder:default={}
	ProviderAccess ProviderAccess `json:"providerAccess,omitzero"`
	// backlog says when accepted work has waited too long.
	// +optional
	// +kubebuilder:default={}
	Backlog BacklogSpec `json:"backlog,omitzero"`
	// exposure to clients.
	// +optional
	// +kubebuilder:default={}
	Exposure Exposure `json:"exposure,omitzero"`
	// probe of the whole path: a booking made and undone.
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

// GatewayReference names the message gateway that the outbox sends through.
type GatewayReference struct {
	// name of the MessagingService. 1 to 40 characters.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
	// namespace of the MessagingService. 1 to 63 characters.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Namespace string `json:"namespace"`
	// bulkPort of the gateway's bulk interface. Default 8444; 1024 to 65535.
	// +optional
	// +kubebuilder:default=8444
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=65535
	BulkPort int32 `json:"bulkPort,omitempty"`
}

// TokensSpec says which bearer tokens the API accepts.
type TokensSpec struct {
	// keysConfigMap names a ConfigMap in the service's namespace that holds
	// public keys as a JSON Web Key Set under the key jwks.json. It is read
	// again when it changes. 1 to 253 characters.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	KeysConfigMap string `json:"keysConfigMap"`
	// issuer that a token must name. 1 to 256 characters.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Issuer string `json:"issuer"`
	// audience that a token must name. 1 to 256 characters. Default: ers.
	// +optional
	// +kubebuilder:default=ers
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Audience string `json:"audience,omitempty"`
}

// Network is an IPv4 network such as 10.20.0.0/16.
//
// +kubebuilder:validation:MaxLength=18
// +kubebuilder:validation:XValidation:rule="isCIDR(self) && cidr(self).ip().family() == 4 && cidr(self) == cidr(self).masked()",message="must be an IPv4 network such as 10.20.0.0/16, with no bits set beyond its length"
type Network string

// ProviderAccess says where providers' systems are.
type ProviderAccess struct {
	// networks in which providers' systems are: the only ones, besides the
	// service's own parts, that it can open connections to. At most 32.
	// Default: none, which defers every booking that a provider has to confirm.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	Networks []Network `json:"networks,omitempty"`
	// port of providers' systems. 1 to 65535. Default: 443.
	// +optional
	// +kubebuilder:default=443
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`
	// caConfigMap names a ConfigMap in the service's namespace that holds the
	// certificate authority of providers' systems under the key ca.crt. At most
	// 253 characters. Default: none; then no provider's system is trusted, as
	// the image carries no authorities of its own.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$`
	CAConfigMap string `json:"caConfigMap,omitempty"`
}

// BacklogSpec says when accepted work has waited too long.
type BacklogSpec struct {
	// outboxOverdueMinutes is the age of the oldest event that the message
	// gateway has not accepted from which on the backlog counts as overdue.
	// Default 10; 1 to 1440.
	// +optional
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1440
	OutboxOverdueMinutes int32 `json:"outboxOverdueMinutes,omitempty"`
	// openIssues is how many appointment-slot issues may be open before the
	// backlog counts as overdue: each is a patient without an appointment.
	// Default 5000, a seventh of a working day's bookings; 0 means none at all;
	// 0 to 10000000.
	// +optional
	// +kubebuilder:default=5000
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000000
	OpenIssues *int32 `json:"openIssues,omitempty"`
}

// HostName is a DNS name or an IPv4 address.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
type HostName string

// Exposure is how people and applications reach the service.
type Exposure struct {
	common.Exposure `json:",inline"`
	// port of the API and the pages, by HTTPS. Default 8445; 1024 to 65535.
	// +optional
	// +kubebuilder:default=8445
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`
	// hostNames and addresses, besides those inside the cluster and the one of
	// the load balancer, for which the server's certificate is good. At most 16.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	HostNames []HostName `json:"hostNames,omitempty"`
}
