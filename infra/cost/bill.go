// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
)

// Assumptions are what every figure here takes for granted.
var Assumptions = []string{
	"list prices on demand: no discounts, no commitments, no support plan, no tax",
	"everything that is planned runs for the whole month of 730 hours; schedules that put an environment to sleep save more",
	"groups of machines have the size that they begin with",
	"what only use decides (requests, traffic, what is stored) is named, not counted",
}

// Bill is what resources cost a month.
type Bill struct {
	// Services are those of the cloud, the dearest first.
	Services []ServiceCost `json:"services"`
	// Cents of all services, of what is known.
	Cents int64 `json:"cents"`
	// Unchecked is the part of Cents that rests on prices which nobody has read from a publication.
	Unchecked int64 `json:"unchecked,omitempty"`
	// Unknown says what has no figure and why, once each.
	Unknown []string `json:"unknown,omitempty"`
	// Usage is what use adds, in words, once each.
	Usage []string `json:"usage,omitempty"`
}

// ServiceCost is one service's part of a bill.
type ServiceCost struct {
	// Service is the SDK's word for it: rds, eks, ec2.
	Service string `json:"service"`
	Cents   int64  `json:"cents"`
	// Resources are how many of its have a figure above zero.
	Resources int `json:"resources"`
}

// Bill adds up what resources cost.
func (b *Book) Bill(resources []Resource) Bill {
	return b.bill(resources, func(Resource, int) float64 { return 1 })
}

// bill takes a share of each resource, 0 to 1, by the resource and its place among those of its type.
func (b *Book) bill(resources []Resource, share func(r Resource, nth int) float64) Bill {
	var out Bill
	services, seen := map[string]*ServiceCost{}, map[string]int{}
	unknown, usage := map[string]bool{}, map[string]bool{}
	for _, r := range resources {
		part := share(r, seen[r.Type])
		seen[r.Type]++
		if part == 0 {
			continue
		}
		e := b.Estimate(r)
		if e.Unknown != "" {
			unknown[r.Type+": "+e.Unknown] = true
			continue
		}
		for _, u := range e.Usage {
			usage[service(r.Type)+": "+u] = true
		}
		cents := int64(math.Round(part * float64(e.Cents)))
		if cents == 0 {
			continue
		}
		s := services[service(r.Type)]
		if s == nil {
			s = &ServiceCost{Service: service(r.Type)}
			services[s.Service] = s
		}
		s.Cents += cents
		s.Resources++
		out.Cents += cents
		out.Unchecked += int64(math.Round(part * float64(e.Unchecked)))
	}
	for _, s := range services {
		out.Services = append(out.Services, *s)
	}
	slices.SortFunc(out.Services, func(x, y ServiceCost) int {
		return cmp.Or(cmp.Compare(y.Cents, x.Cents), cmp.Compare(x.Service, y.Service))
	})
	out.Unknown, out.Usage = slices.Sorted(maps.Keys(unknown)), slices.Sorted(maps.Keys(usage))
	return out
}

// service is the part of a type's token between "aws:" and "/".
func service(token string) string {
	_, rest, _ := strings.Cut(token, ":")
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// Running is what the same resources cost when they are there for some hours only, 0 to HoursPerMonth. AWS bills most by
// the second or hour; of what it bills by the month (zones of DNS, for example) this is the least that it can come to.
func (b *Book) Running(bill Bill, hours float64) int64 {
	return int64(math.Round(float64(bill.Cents) * hours / b.HoursPerMonth))
}
