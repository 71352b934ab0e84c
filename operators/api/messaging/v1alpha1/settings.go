// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// Limits bound what one gateway takes on.
//
// +kubebuilder:validation:XValidation:rule="!has(self.maxMessageBytes) || !has(self.maxRequestBytes) || self.maxMessageBytes >= self.maxRequestBytes",message="maxMessageBytes must be at least maxRequestBytes: a message is one request or several chunks"
// +kubebuilder:validation:XValidation:rule="!has(self.inFlightBytes) || !has(self.maxRequestBytes) || self.inFlightBytes >= 2 * self.maxRequestBytes",message="inFlightBytes must be at least twice maxRequestBytes"
type Limits struct {
	// maxRequestBytes is the largest body of one request. Default 5000000; 1024 to 20000000.
	// +optional
	// +kubebuilder:default=5000000
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=20000000
	MaxRequestBytes int64 `json:"maxRequestBytes,omitempty"`
	// maxMessageBytes is the largest message, over all its chunks. Default 100000000; 1024 to 1000000000.
	// +optional
	// +kubebuilder:default=100000000
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=1000000000
	MaxMessageBytes int64 `json:"maxMessageBytes,omitempty"`
	// inFlightBytes are the bodies that one gateway holds before they are committed; above it
	// senders get 429 or 503 with Retry-After. Default 67108864 (64 MiB); 1 MiB to 16 GiB.
	// +optional
	// +kubebuilder:default=67108864
	// +kubebuilder:validation:Minimum=1048576
	// +kubebuilder:validation:Maximum=17179869184
	InFlightBytes int64 `json:"inFlightBytes,omitempty"`
}

// Retention says when messages that nobody collects are reported and deleted.
//
// +kubebuilder:validation:XValidation:rule="!has(self.undeliveredAfter) || duration(self.undeliveredAfter) >= duration('1h') && duration(self.undeliveredAfter) <= duration('720h')",message="undeliveredAfter must be between 1h and 720h"
// +kubebuilder:validation:XValidation:rule="!has(self.deleteAfter) || duration(self.deleteAfter) >= duration('24h') && duration(self.deleteAfter) <= duration('2160h')",message="deleteAfter must be between 24h and 2160h"
// +kubebuilder:validation:XValidation:rule="!has(self.deleteAfter) || !has(self.undeliveredAfter) || duration(self.deleteAfter) > duration(self.undeliveredAfter)",message="deleteAfter must be longer than undeliveredAfter: the sender hears of it first"
type Retention struct {
	// undeliveredAfter: the sender then gets a report of an uncollected message. Default 120h (5 days); 1h to 720h.
	// +optional
	// +kubebuilder:default="120h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`
	// +kubebuilder:validation:MaxLength=32
	UndeliveredAfter metav1.Duration `json:"undeliveredAfter"`
	// deleteAfter: messages older than this are deleted. Default 720h (30 days); 24h to 2160h.
	// +optional
	// +kubebuilder:default="720h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`
	// +kubebuilder:validation:MaxLength=32
	DeleteAfter metav1.Duration `json:"deleteAfter"`
}

// GatewayConfig is the file gateway.yaml, from which a message gateway takes its routes
// and limits. It reads the file again when it changes.
//
// +kubebuilder:object:generate=true
type GatewayConfig struct {
	// service names the MessagingService as namespace/name, for logs and metrics.
	Service string `json:"service"`
	// acknowledge is what must hold a message before its sender is told that it is safe.
	Acknowledge common.Acknowledge `json:"acknowledge"`
	// limits of this gateway.
	Limits Limits `json:"limits"`
	// retention of messages.
	Retention Retention `json:"retention"`
	// suppliers that routes name.
	Suppliers []Supplier `json:"suppliers"`
	// routes, one for each interaction.
	Routes []Route `json:"routes"`
}
