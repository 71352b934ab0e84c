// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Role says what a service does at this site.
//
// +kubebuilder:validation:Enum=Active;Standby
type Role string

const (
	// RoleActive serves.
	RoleActive Role = "Active"
	// RoleStandby follows the active site and does not serve.
	RoleStandby Role = "Standby"
)

// Exposure is how clients from outside the cluster reach the service.
type Exposure struct {
	// loadBalancerClass of the Services that face clients. Default: spine.nhs.uk/edge, whose
	// address is the site's edge address.
	// +optional
	// +kubebuilder:default="spine.nhs.uk/edge"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	LoadBalancerClass string `json:"loadBalancerClass,omitempty"`
	// nodePort opens the port of the service's interface for people and systems (of a
	// BookingService the API, of a MessagingService the MESH API) on every node too, for a
	// balancer outside of the cluster that leads clients to nodes. Default 0: on no node; 30000
	// to 32767.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=32767
	// +kubebuilder:validation:XValidation:rule="self == 0 || self >= 30000",message="nodePort must be between 30000 and 32767, or 0 for none"
	NodePort int32 `json:"nodePort,omitempty"`
}

// HostName is a DNS name.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
type HostName string

// EdgeLoadBalancerClass is the class whose Services get the site's edge address.
const EdgeLoadBalancerClass = "spine.nhs.uk/edge"

// ProbeSpec is the deep probe: one synthetic request through the whole path.
//
// +kubebuilder:validation:XValidation:rule="!has(self.interval) || duration(self.interval) >= duration('5s') && duration(self.interval) <= duration('10m')",message="interval must be between 5s and 10m"
// +kubebuilder:validation:XValidation:rule="!has(self.timeout) || duration(self.timeout) >= duration('1s') && duration(self.timeout) <= duration('1m')",message="timeout must be between 1s and 1m"
type ProbeSpec struct {
	// interval between two probes. Default 15s; 5s to 10m.
	// +optional
	// +kubebuilder:default="15s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`
	// +kubebuilder:validation:MaxLength=32
	Interval metav1.Duration `json:"interval,omitempty"`
	// timeout of one probe. Default 10s; 1s to 1m.
	// +optional
	// +kubebuilder:default="10s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`
	// +kubebuilder:validation:MaxLength=32
	Timeout metav1.Duration `json:"timeout,omitempty"`
	// failuresBeforeUnhealthy is how many probes in a row must fail before the service counts
	// as unhealthy. Default 3; 1 to 20.
	// +optional
	// +kubebuilder:default=3
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=20
	FailuresBeforeUnhealthy int32 `json:"failuresBeforeUnhealthy,omitempty"`
}

// Topology names the node labels by which members are kept apart.
type Topology struct {
	// hostKey is the node label that tells hosts apart. Default kubernetes.io/hostname. No two
	// members of an engine share a value.
	// +optional
	// +kubebuilder:default="kubernetes.io/hostname"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	HostKey string `json:"hostKey,omitempty"`
	// rackKey is the node label that tells racks or availability zones apart. Default
	// topology.kubernetes.io/zone. Every node must carry it: members are spread evenly over it.
	// +optional
	// +kubebuilder:default="topology.kubernetes.io/zone"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	RackKey string `json:"rackKey,omitempty"`
}

// Issuers are the ClusterIssuers of cert-manager that sign the service's certificates.
type Issuers struct {
	// platform signs servers and the parts' clients within the platform. Default spine-ca.
	// +optional
	// +kubebuilder:default="spine-ca"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Platform string `json:"platform,omitempty"`
	// clients signs the certificates of the systems that connect from outside. Default
	// spine-clients.
	// +optional
	// +kubebuilder:default="spine-clients"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Clients string `json:"clients,omitempty"`
}

// LocalSecret names a Secret in the service's own namespace.
type LocalSecret struct {
	// name of the Secret.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name"`
}

// WorkloadSpec is one of our own programs, deployed without ever going below its replicas.
type WorkloadSpec struct {
	// image of the program.
	Image Image `json:"image"`
	// replicas that always serve, also while a change rolls. Default 2; 2 to 20.
	// +optional
	// +kubebuilder:default=2
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=20
	Replicas int32 `json:"replicas,omitempty"`
	// resources of each replica.
	Resources Resources `json:"resources"`
}
