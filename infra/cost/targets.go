// SPDX-License-Identifier: Apache-2.0

package cost

// Target is a way of being ready to serve in a second place when the first is lost. The names are those of AWS's paper
// on disaster recovery.
type Target struct {
	Name string `json:"name"`
	// Means says what is there beforehand, which is what the figure pays for.
	Means string `json:"means"`
	// share is how much of a live resource is there, by its type and its place among those of the type.
	share func(r Resource, nth int) float64
}

// Types whose size a target decides.
const (
	machines = "aws:eks/nodeGroup:NodeGroup"
	members  = "aws:rds/clusterInstance:ClusterInstance"
	queues   = "aws:mq/broker:Broker"
	cluster  = "aws:eks/cluster:Cluster"
	gateways = "aws:ec2/natGateway:NatGateway"
	doors    = "aws:ec2/vpcEndpoint:VpcEndpoint"
	balancer = "aws:lb/loadBalancer:LoadBalancer"
)

// thirdOfMachines is the capacity of one zone of three: enough for probes and for the first minutes.
const thirdOfMachines = 1.0 / 3

// Targets are the recovery targets, the cheapest first.
func Targets() []Target {
	return []Target{
		{"pilot light", "data is copied to one database member; keys, network and names are there; nothing else runs", func(r Resource, nth int) float64 {
			switch r.Type {
			case machines, queues, cluster, gateways, doors, balancer:
				return 0
			case members:
				return first(nth)
			}
			return 1
		}},
		{"warm standby", "all of it runs, with a third of the machines and two database members, and grows when it takes over", func(r Resource, nth int) float64 {
			switch r.Type {
			case machines:
				return thirdOfMachines
			case members:
				return first(nth / 2)
			}
			return 1
		}},
		{"active-active", "all of it runs at full size and serves", func(Resource, int) float64 { return 1 }},
	}
}

// first is 1 for the first of a type, and 0 for the others.
func first(nth int) float64 {
	if nth == 0 {
		return 1
	}
	return 0
}

// TargetCost is what a target adds to the bill of a live environment, a month.
type TargetCost struct {
	Target
	Bill Bill `json:"bill"`
}

// Targets prices each recovery target of an environment whose live resources these are.
func (b *Book) Targets(live []Resource) []TargetCost {
	var out []TargetCost
	for _, t := range Targets() {
		out = append(out, TargetCost{Target: t, Bill: b.bill(live, t.share)})
	}
	return out
}
