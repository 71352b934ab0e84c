// SPDX-License-Identifier: Apache-2.0

package v1alpha1

const (
	// ForceDeleteAnnotation allows the deletion of a service that holds acknowledged,
	// unprocessed work. Its value is the reason, which must not be empty.
	ForceDeleteAnnotation = "spine.nhs.uk/force-delete-reason"
	// WorkFinalizer keeps a service until it is known that no acknowledged work goes with it.
	WorkFinalizer = "spine.nhs.uk/unprocessed-work"
	// ServiceLabel carries the name of the service's resource on each of its children.
	ServiceLabel = "spine.nhs.uk/service"
	// ComponentLabel says which part of the service a child is: database, broker, gateway, service.
	ComponentLabel = "spine.nhs.uk/component"
)
