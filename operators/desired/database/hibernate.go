// SPDX-License-Identifier: Apache-2.0

package database

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// hibernation is the annotation of a Cluster by which CloudNativePG stops all of its instances
// and keeps their volumes, and the type of the condition that says how far it has got.
const (
	hibernation   = "cnpg.io/hibernation"
	hibernationOn = "on"
)

// Hibernate has a desired Cluster stop its instances. CloudNativePG stops the primary first, so
// that every standby has all of its log, and begins with a healthy Cluster only.
func Hibernate(desired *unstructured.Unstructured) {
	annotations := desired.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[hibernation] = hibernationOn
	desired.SetAnnotations(annotations)
}

// Hibernating says whether the live Cluster is asked to have no instances; nil is none.
func Hibernating(live *unstructured.Unstructured) bool {
	return live != nil && live.GetAnnotations()[hibernation] == hibernationOn
}

// Hibernated says whether the live Cluster was asked for that, and no instance is left.
func Hibernated(live *unstructured.Unstructured) bool {
	if !Hibernating(live) || Observe(live).Ready > 0 {
		return false
	}
	conditions, _, _ := unstructured.NestedSlice(live.Object, "status", "conditions")
	for _, c := range conditions {
		if condition, ok := c.(map[string]any); ok && condition["type"] == hibernation {
			return condition["status"] == "True"
		}
	}
	return false
}
