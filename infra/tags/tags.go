// SPDX-License-Identifier: Apache-2.0

// Package tags says whose a resource is: the same facts on everything that an
// environment makes, as labels in a cluster and as tags elsewhere.
package tags

// Keys of the facts. They are Kubernetes label keys.
const (
	Environment = "spine.nhs.uk/environment"
	Owner       = "spine.nhs.uk/owner"
	ManagedBy   = "app.kubernetes.io/managed-by"
)

// Manager is the value of ManagedBy.
const Manager = "spine"

// Tags are the facts of one environment.
type Tags struct {
	// Environment is the environment's name, a DNS label.
	Environment string
	// Owner is the team that answers for it, a DNS label.
	Owner string
}

// Labels returns the facts as Kubernetes labels.
func (t Tags) Labels() map[string]string {
	return map[string]string{
		Environment: t.Environment,
		Owner:       t.Owner,
		ManagedBy:   Manager,
	}
}
