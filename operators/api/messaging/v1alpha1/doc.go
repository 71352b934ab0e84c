// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 holds MessagingService, the resource behind Spine's messages, and
// GatewayConfig, the file that the message gateway reads.
//
// +kubebuilder:object:generate=true
// +groupName=messaging.spine.nhs.uk
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	// GroupVersion of every kind in this package.
	GroupVersion = schema.GroupVersion{Group: "messaging.spine.nhs.uk", Version: "v1alpha1"}
	schemeBuild  = runtime.NewSchemeBuilder(func(s *runtime.Scheme) error {
		s.AddKnownTypes(GroupVersion, &MessagingService{}, &MessagingServiceList{})
		metav1.AddToGroupVersion(s, GroupVersion)
		return nil
	})
	// AddToScheme registers the kinds.
	AddToScheme = schemeBuild.AddToScheme
)
