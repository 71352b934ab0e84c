// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 holds the custom resource BookingService, which runs the
// e-Referral Service's booking at a site, and the configuration that its
// operator hands to the booking program.
//
// +kubebuilder:object:generate=true
// +groupName=booking.ers.nhs.uk
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion of everything in this package.
var GroupVersion = schema.GroupVersion{Group: "booking.ers.nhs.uk", Version: "v1alpha1"}

// SchemeBuilder collects what AddToScheme adds.
var SchemeBuilder = runtime.NewSchemeBuilder(func(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion, &BookingService{}, &BookingServiceList{})
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
})

// AddToScheme makes the types known to a scheme.
var AddToScheme = SchemeBuilder.AddToScheme
