// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Pattern is how the parties of an interaction exchange messages.
//
// +kubebuilder:validation:Enum=Sync;AsyncExpress;AsyncReliable;ForwardExpress;ForwardReliable
type Pattern string

const (
	// PatternSync passes the request to the endpoint and its answer back on the same connection; nothing is kept.
	PatternSync Pattern = "Sync"
	// PatternAsyncExpress acknowledges and delivers later, without retries: the sender repeats if it cares.
	PatternAsyncExpress Pattern = "AsyncExpress"
	// PatternAsyncReliable acknowledges and delivers later, with the retries of its reliability contract.
	PatternAsyncReliable Pattern = "AsyncReliable"
	// PatternForwardExpress passes a message between two systems, without retries.
	PatternForwardExpress Pattern = "ForwardExpress"
	// PatternForwardReliable passes a message between two systems, with the retries of its reliability contract.
	PatternForwardReliable Pattern = "ForwardReliable"
)

// Reliable says that acknowledged messages of the pattern are retried.
func (p Pattern) Reliable() bool { return p == PatternAsyncReliable || p == PatternForwardReliable }

// DuplicateElimination is whether repeats of a request are recognised.
//
// +kubebuilder:validation:Enum=Always;Never
type DuplicateElimination string

const (
	// DuplicateEliminationAlways recognises a repeat by its request ID and payload.
	DuplicateEliminationAlways DuplicateElimination = "Always"
	// DuplicateEliminationNever treats each request as new.
	DuplicateEliminationNever DuplicateElimination = "Never"
)

// Delivery is how a message reaches its receiver.
//
// +kubebuilder:validation:Enum=Inbox;Push
type Delivery string

const (
	// DeliveryInbox keeps the message until the receiver collects and acknowledges it.
	DeliveryInbox Delivery = "Inbox"
	// DeliveryPush sends the message to the route's endpoint.
	DeliveryPush Delivery = "Push"
)

// Traffic is a kill switch.
//
// +kubebuilder:validation:Enum=Open;Stopped
type Traffic string

const (
	// TrafficOpen accepts and delivers.
	TrafficOpen Traffic = "Open"
	// TrafficStopped refuses new messages with 503 and delivers none; what was acknowledged is kept.
	TrafficStopped Traffic = "Stopped"
)

// Reliability is the contract of one interaction, as the Spine's tables state it.
//
// +kubebuilder:validation:XValidation:rule="duration(self.retryInterval) >= duration('0s') && duration(self.retryInterval) <= duration('24h')",message="retryInterval must be between 0s and 24h"
// +kubebuilder:validation:XValidation:rule="duration(self.persistDuration) >= duration('0s') && duration(self.persistDuration) <= duration('720h')",message="persistDuration must be between 0s and 720h"
// +kubebuilder:validation:XValidation:rule="self.retries == 0 || duration(self.retryInterval) >= duration('1s')",message="retryInterval must be at least 1s when there are retries"
type Reliability struct {
	// retries after the first attempt. Default 0, which means one attempt; at most 20.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=20
	Retries int32 `json:"retries"`
	// retryInterval between two attempts. Default 0s; at most 24h.
	// +optional
	// +kubebuilder:default="0s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`
	// +kubebuilder:validation:MaxLength=32
	RetryInterval metav1.Duration `json:"retryInterval"`
	// persistDuration is how long after acceptance delivery is attempted, and how long repeats are
	// recognised. Default 0s, which means the service's retention; at most 720h.
	// +optional
	// +kubebuilder:default="0s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`
	// +kubebuilder:validation:MaxLength=32
	PersistDuration metav1.Duration `json:"persistDuration"`
	// duplicateElimination: Always (default) or Never.
	// +optional
	// +kubebuilder:default=Always
	DuplicateElimination DuplicateElimination `json:"duplicateElimination,omitempty"`
}

// Route is how the messages of one interaction travel.
//
// +kubebuilder:validation:XValidation:rule="has(self.endpoint) == (self.delivery == 'Push' || self.pattern == 'Sync')",message="endpoint is required for delivery Push and pattern Sync, and must be left out otherwise"
// +kubebuilder:validation:XValidation:rule="!(self.pattern in ['AsyncReliable', 'ForwardReliable']) || has(self.reliability)",message="reliability is required for the reliable patterns: state retries, retryInterval, persistDuration and duplicateElimination"
// +kubebuilder:validation:XValidation:rule="self.pattern in ['AsyncReliable', 'ForwardReliable'] || !has(self.reliability) || self.reliability.retries == 0",message="only the reliable patterns retry: set reliability.retries to 0 or use AsyncReliable or ForwardReliable"
// +kubebuilder:validation:XValidation:rule="duration(self.timeout) >= duration('1s') && duration(self.timeout) <= duration('2m')",message="timeout must be between 1s and 2m"
type Route struct {
	// interaction (the workflow ID of MESH) that the route is for: 1 to 100 characters.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9][A-Za-z0-9_.:/-]*$`
	Interaction string `json:"interaction"`
	// pattern of the exchange.
	Pattern Pattern `json:"pattern"`
	// supplier whose system receives. It must be one of spec.suppliers.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Supplier string `json:"supplier"`
	// reliability contract. Required for the reliable patterns; absent means one attempt and no
	// recognition of repeats.
	// +optional
	Reliability *Reliability `json:"reliability,omitempty"`
	// delivery: Inbox (default) or Push.
	// +optional
	// +kubebuilder:default=Inbox
	Delivery Delivery `json:"delivery,omitempty"`
	// endpoint to push to, or to ask for pattern Sync: an https URL of at most 500 characters.
	// Its certificate must come from the platform's or the clients' issuer. After a change the
	// old endpoint stays in use for another 15 minutes, as clients may have cached it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=500
	// +kubebuilder:validation:Pattern=`^https://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?(/[^\s]*)?$`
	Endpoint string `json:"endpoint,omitempty"`
	// timeout of one request to the endpoint. Default 30s; 1s to 2m.
	// +optional
	// +kubebuilder:default="30s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`
	// +kubebuilder:validation:MaxLength=32
	Timeout metav1.Duration `json:"timeout"`
	// messagesPerSecond that are delivered at most. Default 0, which means no limit; at most 100000.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000
	MessagesPerSecond int32 `json:"messagesPerSecond"`
	// traffic of this interaction: Open (default) or Stopped.
	// +optional
	// +kubebuilder:default=Open
	Traffic Traffic `json:"traffic,omitempty"`
}

// Supplier runs receiving systems. Its failures are kept from everybody else.
type Supplier struct {
	// name of the supplier: a DNS label.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
	// messagesPerSecond that are delivered to it at most, over all routes. Default 0, which means
	// no limit; at most 100000.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000
	MessagesPerSecond int32 `json:"messagesPerSecond"`
	// traffic to this supplier: Open (default) or Stopped.
	// +optional
	// +kubebuilder:default=Open
	Traffic Traffic `json:"traffic,omitempty"`
}
