// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 holds the types that the services' resources share: their engines,
// their exposure, their probes, and the words of their conditions.
//
// +kubebuilder:object:generate=true
package v1alpha1
