// SPDX-License-Identifier: Apache-2.0

package v1alpha1

const (
	// ForceDeleteAnnotation allows the deletion of a service that holds acknowledged,
	// unprocessed work. Its value is the reason, which must not be empty.
	ForceDeleteAnnotation = "spine.nhs.uk/force-delete-reason"
	// WorkFinalizer keeps a service until it is known that no acknowledged work goes with it.
	WorkFinalizer = "spine.nhs.uk/unprocessed-work"
	// StoppedSuppliersAnnotation on a MessagingService lists suppliers, separated by commas, whose
	// traffic an operation has stopped, whatever the specification says.
	StoppedSuppliersAnnotation = "spine.nhs.uk/stopped-suppliers"
	// ReplicasAnnotation on a service is the number of replicas of its own program that an
	// operation has asked for, 2 to 20; the specification's counts when it is larger.
	ReplicasAnnotation = "spine.nhs.uk/replicas"
	// DatabaseAnnotation on a service names its Cluster where that is not the one that it was made
	// with: one that RestoreDatabase has made.
	DatabaseAnnotation = "spine.nhs.uk/database"
	// HeldAnnotation on a service names the operation for which none of its programs may run. It is
	// void once that operation has ended.
	HeldAnnotation = "spine.nhs.uk/held-by"
	// ServiceLabel carries the name of the service's resource on each of its children.
	ServiceLabel = "spine.nhs.uk/service"
	// ComponentLabel says which part of the service a child is: database, broker, gateway, service.
	ComponentLabel = "spine.nhs.uk/component"
)
