// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import "k8s.io/apimachinery/pkg/api/resource"

// Image is a container image, by tag or (so that a new build rolls out) by digest.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=300
// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9._:/-]*[a-z0-9])?(:[A-Za-z0-9._-]+)?(@sha256:[a-f0-9]{64})?$`
type Image string

// Resources is what one container reserves. There is no CPU limit, as throttling would
// add to every latency; memory is requested and limited alike, so that a node never
// promises memory that it does not have.
//
// +kubebuilder:validation:XValidation:rule="quantity(string(self.cpu)).compareTo(quantity('1m')) >= 0 && quantity(string(self.cpu)).compareTo(quantity('256')) <= 0",message="cpu must be between 1m and 256 cores"
// +kubebuilder:validation:XValidation:rule="quantity(string(self.memory)).compareTo(quantity('16Mi')) >= 0 && quantity(string(self.memory)).compareTo(quantity('2Ti')) <= 0",message="memory must be between 16Mi and 2Ti"
type Resources struct {
	// cpu is the processor time requested, in cores: 1m to 256.
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=20
	CPU resource.Quantity `json:"cpu"`
	// memory is requested and limited alike, in bytes: 16Mi to 2Ti.
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=20
	Memory resource.Quantity `json:"memory"`
}

// Storage is the volume of each member.
//
// +kubebuilder:validation:XValidation:rule="quantity(string(self.size)).compareTo(quantity('256Mi')) >= 0 && quantity(string(self.size)).compareTo(quantity('64Ti')) <= 0",message="size must be between 256Mi and 64Ti"
type Storage struct {
	// size of each member's volume, in bytes: 256Mi to 64Ti.
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=20
	Size resource.Quantity `json:"size"`
	// storageClass of the volumes. Empty means the cluster's default class.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	StorageClass string `json:"storageClass,omitempty"`
}

// ParameterValue is the value of one PostgreSQL parameter.
//
// +kubebuilder:validation:MaxLength=200
type ParameterValue string

// DatabaseSpec is a PostgreSQL cluster in which every commit is durable on the primary
// and at least one standby before it is acknowledged.
type DatabaseSpec struct {
	// image of PostgreSQL, whose tag begins with the major version, as in
	// postgresql:17@sha256:...: CloudNativePG reads it from there.
	// +kubebuilder:validation:XValidation:rule="self.matches('(^|/)[^/@:]+:[0-9]+[A-Za-z0-9._-]*(@sha256:[a-f0-9]{64})?$')",message="must have a tag that begins with PostgreSQL's major version, as in postgresql:17@sha256:..."
	Image Image `json:"image"`
	// instances, of which one is the primary. 3 (default) to 5. Each stands on another host
	// and no rack holds two of three.
	// +optional
	// +kubebuilder:default=3
	// +kubebuilder:validation:Minimum=3
	// +kubebuilder:validation:Maximum=5
	Instances int32 `json:"instances,omitempty"`
	// storage of each instance.
	Storage Storage `json:"storage"`
	// resources of each instance.
	Resources Resources `json:"resources"`
	// parameters of PostgreSQL, besides or instead of those that the operator chooses.
	// At most 30. Durability is not for parameters to choose: fsync, full_page_writes and
	// the synchronous_* settings are refused.
	// +optional
	// +kubebuilder:validation:MaxProperties=30
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) <= 64)",message="a parameter's name has at most 64 characters"
	// +kubebuilder:validation:XValidation:rule="self.all(k, !(k in ['fsync', 'full_page_writes', 'synchronous_commit', 'synchronous_standby_names', 'wal_level', 'hot_standby', 'archive_mode']))",message="fsync, full_page_writes, synchronous_commit, synchronous_standby_names, wal_level, hot_standby and archive_mode decide what can be lost and are set by the operator: remove them"
	Parameters map[string]ParameterValue `json:"parameters,omitempty"`
}

// BrokerSpec is a RabbitMQ cluster of quorum queues.
//
// +kubebuilder:validation:XValidation:rule="self.replicas % 2 == 1",message="replicas must be odd: an even number survives no more losses than one fewer"
type BrokerSpec struct {
	// image of RabbitMQ 4.
	Image Image `json:"image"`
	// replicas: 3 (default) or 5. Each stands on another host and no rack holds two of three.
	// +optional
	// +kubebuilder:default=3
	// +kubebuilder:validation:Minimum=3
	// +kubebuilder:validation:Maximum=5
	Replicas int32 `json:"replicas,omitempty"`
	// storage of each replica.
	Storage Storage `json:"storage"`
	// resources of each replica.
	Resources Resources `json:"resources"`
}
