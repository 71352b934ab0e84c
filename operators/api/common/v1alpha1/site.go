// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SiteName is the name of a site, the same at both sites and in the witness's vote.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=20
// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
type SiteName string

// SiteNetwork is a network in CIDR notation, as in 10.90.0.0/24.
//
// +kubebuilder:validation:MinLength=3
// +kubebuilder:validation:MaxLength=43
// +kubebuilder:validation:XValidation:rule="isCIDR(self) && cidr(self) == cidr(self).masked()",message="must be a network such as 10.90.0.0/24, with no bits set beyond its length"
type SiteNetwork string

// SiteSpec says at which of two sites the service is, and where its other half is.
//
// +kubebuilder:validation:XValidation:rule="self.name != self.peer.name",message="peer.name must be another site than name"
// +kubebuilder:validation:XValidation:rule="self.databasePort != self.opsPort",message="databasePort and opsPort must differ: both are on the same address"
type SiteSpec struct {
	// name of this site.
	Name SiteName `json:"name"`
	// role with which the service began at this site. Which one is in force since is said by
	// the annotation spine.nhs.uk/role, which failovers change.
	Role Role `json:"role"`
	// networks of this site's hosts, from which what comes in at the edge seems to come. 1 to 8.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Networks []SiteNetwork `json:"networks"`
	// databasePort of the edge address where the other site reaches this one's database. 1024 to 65535.
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=65535
	DatabasePort int32 `json:"databasePort"`
	// opsPort of the edge address where the other site probes this one's program. 1024 to 65535.
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=65535
	OpsPort int32 `json:"opsPort"`
	// peer is the other site.
	Peer PeerSpec `json:"peer"`
}

// PeerSpec is the other site, as it is reached from this one.
type PeerSpec struct {
	// name of the other site.
	Name SiteName `json:"name"`
	// networks that may reach databasePort and opsPort of this site, and no others. 1 to 8.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Networks []SiteNetwork `json:"networks"`
	// databaseHost is the other site's edge, by name or address. The certificates of both sites
	// come from one authority.
	DatabaseHost HostName `json:"databaseHost"`
	// databasePort of the other site's edge. 1024 to 65535.
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=65535
	DatabasePort int32 `json:"databasePort"`
}

// Acknowledge is what must hold a piece of work before its sender is told that it is safe.
//
// +kubebuilder:validation:Enum=Site;BothSites
type Acknowledge string

const (
	// AcknowledgeSite waits for the primary and one standby of this site.
	AcknowledgeSite Acknowledge = "Site"
	// AcknowledgeBothSites waits for the other site besides.
	AcknowledgeBothSites Acknowledge = "BothSites"
)

// SiteRole is what a service does at a site now.
//
// +kubebuilder:validation:Enum=Active;Quiesced;Standby
type SiteRole string

const (
	// SiteActive: its database accepts writes, and its program serves.
	SiteActive SiteRole = "Active"
	// SiteQuiesced: its database is still the one that accepts writes, and its program does
	// not run, so nothing is acknowledged.
	SiteQuiesced SiteRole = "Quiesced"
	// SiteStandby: its database follows the other site's, and its program does not run.
	SiteStandby SiteRole = "Standby"
)

// SiteStatus is what the service does at this site, and how the other one follows.
type SiteStatus struct {
	// role that is in force and brought about. Absent while one is being changed into another.
	// +optional
	Role SiteRole `json:"role,omitempty"`
	// epoch of the order that is brought about.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Epoch int64 `json:"epoch,omitempty"`
	// acknowledge in force: Site or BothSites.
	// +optional
	Acknowledge Acknowledge `json:"acknowledge,omitempty"`
	// demotionToken of the database once it has become a standby: with it the other site is
	// promoted without a loss.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	DemotionToken string `json:"demotionToken,omitempty"`
	// replication between the sites, as this one sees it. Absent when nothing is known.
	// +optional
	Replication *SiteReplication `json:"replication,omitempty"`
	// ready says that everything that is needed to serve is here: members, images, secrets.
	// +optional
	Ready bool `json:"ready,omitempty"`
	// lacks is what is missing, while it is not ready.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Lacks string `json:"lacks,omitempty"`
}

// SiteReplication is how the standby follows.
type SiteReplication struct {
	// streaming: the standby receives what is written as it is written.
	Streaming bool `json:"streaming"`
	// behindBytes of the log that are known to be missing at the standby. Absent: not known.
	// +optional
	// +kubebuilder:validation:Minimum=0
	BehindBytes *int64 `json:"behindBytes,omitempty"`
	// behindSeconds since which something is missing at the standby; 0: nothing. Absent: not known.
	// +optional
	// +kubebuilder:validation:Minimum=0
	BehindSeconds *int64 `json:"behindSeconds,omitempty"`
	// behindMessages that were acknowledged and are missing at the standby. Absent: not known.
	// +optional
	// +kubebuilder:validation:Minimum=0
	BehindMessages *int64 `json:"behindMessages,omitempty"`
	// observedTime is when that was so.
	ObservedTime metav1.Time `json:"observedTime"`
}
