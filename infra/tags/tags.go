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

// Keys of what is told besides where somebody else sends the bill. Tags of AWS need no
// prefix: an account is one environment's.
const (
	Service    = "service"
	Tier       = "tier"
	CostCentre = "cost-centre"
	DataClass  = "data-class"
)

// Cloud are the facts of an environment in a cloud.
type Cloud struct {
	Tags
	// Service is what runs in it: ers or spine.
	Service string
	// Tier is its promise of availability: gold, for example.
	Tier string
	// CostCentre is who pays, as in finance's books.
	CostCentre string
	// DataClass is the most sensitive data in it; what holds another class says so itself.
	DataClass string
}

// Map returns the facts as tags of cloud resources.
func (c Cloud) Map() map[string]string {
	out := c.Labels()
	out[Service], out[Tier], out[CostCentre], out[DataClass] = c.Service, c.Tier, c.CostCentre, c.DataClass
	return out
}
