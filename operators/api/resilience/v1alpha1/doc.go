// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 holds the resources by which people recover services: ServiceRecovery,
// one action on one service or host; Failover, from one site to another; Approval, another
// person's yes to the plan of either; and FailoverPolicy, a site's part in a pair.
//
// +kubebuilder:object:generate=true
// +groupName=resilience.spine.nhs.uk
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	// GroupVersion of every kind in this package.
	GroupVersion = schema.GroupVersion{Group: "resilience.spine.nhs.uk", Version: "v1alpha1"}
	schemeBuild  = runtime.NewSchemeBuilder(func(s *runtime.Scheme) error {
		s.AddKnownTypes(GroupVersion, &ServiceRecovery{}, &ServiceRecoveryList{}, &Approval{}, &ApprovalList{},
			&Failover{}, &FailoverList{}, &FailoverPolicy{}, &FailoverPolicyList{})
		metav1.AddToGroupVersion(s, GroupVersion)
		return nil
	})
	// AddToScheme registers the kinds.
	AddToScheme = schemeBuild.AddToScheme
)
