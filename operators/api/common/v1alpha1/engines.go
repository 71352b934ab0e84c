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

// DatabaseSpec is a PostgreSQL in which every commit is durable on more than one disk before
// it is acknowledged: a cluster that the operator makes, or one that somebody else runs.
//
// +kubebuilder:validation:XValidation:rule="has(self.endpoint) ? !has(self.image) && !has(self.instances) && !has(self.storage) && !has(self.resources) && !has(self.parameters) && !has(self.backup) : has(self.image) && has(self.storage) && has(self.resources)",message="give either image, storage and resources, for a database that the operator makes, or endpoint alone, for one that somebody else runs"
// +kubebuilder:validation:XValidation:rule="has(self.endpoint) == has(oldSelf.endpoint)",message="a service keeps the kind of database that it was made with: make another service with the other kind and move the data"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.backup) || has(self.backup)",message="backups are not switched off under a service, as every state kept so far would be out of reach: change where they go, or for how long they are kept"
type DatabaseSpec struct {
	// endpoint of a database that somebody else runs: the operator makes none then. Absent: it
	// makes one, by the fields below.
	// +optional
	Endpoint *DatabaseEndpoint `json:"endpoint,omitempty"`
	// image of PostgreSQL, whose tag begins with the major version, as in
	// postgresql:17@sha256:...: CloudNativePG reads it from there. Required without endpoint.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self.matches('(^|/)[^/@:]+:[0-9]+[A-Za-z0-9._-]*(@sha256:[a-f0-9]{64})?$')",message="must have a tag that begins with PostgreSQL's major version, as in postgresql:17@sha256:..."
	Image Image `json:"image,omitempty"`
	// instances, of which one is the primary. 3 to 5; absent: 3. Each stands on another host
	// and no rack holds two of three.
	// +optional
	// +kubebuilder:validation:Minimum=3
	// +kubebuilder:validation:Maximum=5
	Instances int32 `json:"instances,omitempty"`
	// storage of each instance. Required without endpoint.
	// +optional
	Storage Storage `json:"storage,omitzero"`
	// resources of each instance. Required without endpoint.
	// +optional
	Resources Resources `json:"resources,omitzero"`
	// parameters of PostgreSQL, besides or instead of those that the operator chooses.
	// At most 30. Durability is not for parameters to choose: fsync, full_page_writes and
	// the synchronous_* settings are refused.
	// +optional
	// +kubebuilder:validation:MaxProperties=30
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) <= 64)",message="a parameter's name has at most 64 characters"
	// +kubebuilder:validation:XValidation:rule="self.all(k, !(k in ['fsync', 'full_page_writes', 'synchronous_commit', 'synchronous_standby_names', 'wal_level', 'hot_standby', 'archive_mode']))",message="fsync, full_page_writes, synchronous_commit, synchronous_standby_names, wal_level, hot_standby and archive_mode decide what can be lost and are set by the operator: remove them"
	Parameters map[string]ParameterValue `json:"parameters,omitempty"`
	// backup keeps what the database holds in an object store too, on another failure domain:
	// a copy every night, and its log as it is written. Absent: nothing is kept, and no earlier
	// state can be had back (RestoreDatabase).
	// +optional
	Backup *DatabaseBackup `json:"backup,omitempty"`
}

// DatabaseBackup is where a database's copies and log are kept, and for how long. They lie below
// <bucket>/<namespace>/<name of the database>/.
type DatabaseBackup struct {
	// endpoint of the store's S3 API, https only, without a path: https://objects.example:9000.
	// At most 300 characters.
	// +kubebuilder:validation:MaxLength=300
	// +kubebuilder:validation:Pattern=`^https://[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?$`
	Endpoint string `json:"endpoint"`
	// bucket that is there already, 3 to 63 characters. No other database writes below the same
	// path, as each would spoil the other's log.
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9][a-z0-9.-]*[a-z0-9]$`
	Bucket string `json:"bucket"`
	// secret with the keys access-key, secret-key and ca.crt: the authorities of the store's
	// certificate, in PEM. No others are trusted.
	Secret LocalSecret `json:"secret"`
	// networks in which the store's addresses are: the database can open connections to the
	// endpoint's port there and nowhere else. 1 to 8.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Networks []SiteNetwork `json:"networks"`
	// retentionDays is how far back a state can be had. Default 30; 1 to 365.
	// +optional
	// +kubebuilder:default=30
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=365
	RetentionDays int32 `json:"retentionDays,omitempty"`
}

// BrokerSpec is a RabbitMQ of quorum queues: a cluster that the operator makes, or one that
// somebody else runs.
//
// +kubebuilder:validation:XValidation:rule="!has(self.replicas) || self.replicas % 2 == 1",message="replicas must be odd: an even number survives no more losses than one fewer"
// +kubebuilder:validation:XValidation:rule="has(self.endpoint) ? !has(self.image) && !has(self.replicas) && !has(self.storage) && !has(self.resources) : has(self.image) && has(self.storage) && has(self.resources)",message="give either image, storage and resources, for a broker that the operator makes, or endpoint alone, for one that somebody else runs"
// +kubebuilder:validation:XValidation:rule="has(self.endpoint) == has(oldSelf.endpoint)",message="a service keeps the kind of broker that it was made with: make another service with the other kind"
type BrokerSpec struct {
	// endpoint of a broker that somebody else runs: the operator makes none then. Absent: it
	// makes one, by the fields below.
	// +optional
	Endpoint *BrokerEndpoint `json:"endpoint,omitempty"`
	// image of RabbitMQ 4. Required without endpoint.
	// +optional
	Image Image `json:"image,omitempty"`
	// replicas: 3 or 5; absent: 3. Each stands on another host and no rack holds two of three.
	// +optional
	// +kubebuilder:validation:Minimum=3
	// +kubebuilder:validation:Maximum=5
	Replicas int32 `json:"replicas,omitempty"`
	// storage of each replica. Required without endpoint.
	// +optional
	Storage Storage `json:"storage,omitzero"`
	// resources of each replica. Required without endpoint.
	// +optional
	Resources Resources `json:"resources,omitzero"`
}
