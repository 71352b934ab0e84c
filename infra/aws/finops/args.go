// SPDX-License-Identifier: Apache-2.0

// Package finops watches what an environment costs, and puts it to sleep when
// nobody uses it: budgets, alerts of unusual cost, and schedules.
package finops

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/naming"
)

// Services are the AWS services that may have a budget of their own: by the short
// name in an environment's file, the name on the bill.
var Services = map[string]string{
	"backup":   "AWS Backup",
	"broker":   "Amazon MQ",
	"cluster":  "Amazon Elastic Container Service for Kubernetes",
	"database": "Amazon Relational Database Service",
	"logs":     "AmazonCloudWatch",
	"machines": "Amazon Elastic Compute Cloud - Compute",
	"storage":  "Amazon Simple Storage Service",
}

// NodeGroup is a group of machines that sleeps.
type NodeGroup struct {
	// Cluster and Name are the names of the EKS cluster and the group.
	Cluster, Name pulumi.StringInput
	// Min, Max and Desired are its size while awake.
	Min, Max, Desired int
}

// Schedule is when an environment sleeps and wakes. The booking service goes first, by
// the same hours, from its edge inwards: its operator does that, as on bare metal. Then
// machines go, with the message gateway and a broker in the cluster, and the database
// last; waking is the way back.
type Schedule struct {
	// Sleep and Wake are times of day on working days, "19:00", in London.
	Sleep, Wake string
	// Services are the machines that services, and a broker in the cluster, run on.
	Services []NodeGroup
	// Database is the identifier of the Aurora cluster; nil without one.
	Database pulumi.StringInput
}

// Args say what the environment may cost.
type Args struct {
	Names naming.Namer
	// Account is the number of the account, 12 digits; Region is its region.
	Account, Region string
	// Live refuses a schedule: a live environment never sleeps.
	Live bool
	// MonthlyUSD is the budget of the whole environment per month; ServiceUSD that
	// of single services, by the keys of Services.
	MonthlyUSD int
	ServiceUSD map[string]int
	// AnomalyUSD is the least amount above what is usual that alerts; 0 where the
	// account's payer watches anomalies in one place.
	AnomalyUSD int
	// Emails are who is told, 1 to 10: what a budget allows.
	Emails []string
	// Alerts is the ARN of the alarms' topic.
	Alerts pulumi.StringInput
	// Schedule is nil for an environment that is always awake.
	Schedule *Schedule
}

var timeOfDay = regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d$`)

// Validate names all that is wrong.
func (a *Args) Validate() error {
	var p component.Problems
	p.Need("names", a.Names.Name(), "the namer of the environment")
	p.Account("account", a.Account)
	p.Need("region", a.Region, "the environment's region")
	p.Between("monthlyUSD", a.MonthlyUSD, 1, 1_000_000)
	p.Between("anomalyUSD", a.AnomalyUSD, 0, 1_000_000)
	p.Between("emails", len(a.Emails), 1, 10)
	for _, s := range sorted(a.ServiceUSD) {
		at := fmt.Sprintf("serviceUSD[%s]", s)
		p.OneOf(at, s, sorted(Services)...)
		p.Between(at, a.ServiceUSD[s], 1, 1_000_000)
	}
	p.Given("alerts", a.Alerts, "the ARN of the alarms' topic")
	if s := a.Schedule; s != nil {
		s.validate(&p)
		if a.Live {
			p.Add("schedule", "a live environment never sleeps; remove it")
		}
	}
	return p.Err()
}

func (s *Schedule) validate(p *component.Problems) {
	for _, t := range []struct{ field, value string }{{"schedule.sleep", s.Sleep}, {"schedule.wake", s.Wake}} {
		if !timeOfDay.MatchString(t.value) {
			p.Add(t.field, "is %q; it must be a time of day such as 19:00", t.value)
		}
	}
	if s.Sleep == s.Wake {
		p.Add("schedule.wake", "is the same as schedule.sleep")
	}
	if len(s.Services) == 0 && s.Database == nil {
		p.Add("schedule", "there is nothing to put to sleep; pass the node groups and the database")
	}
	for i, g := range s.Services {
		at := fmt.Sprintf("schedule.services[%d]", i)
		p.Given(at+".cluster", g.Cluster, "the cluster's name")
		p.Given(at+".name", g.Name, "the group's name")
		if g.Min < 1 || g.Desired < g.Min || g.Max < g.Desired {
			p.Add(at, "its sizes are %d, %d and %d; they must be at least 1, and in the order min, desired, max", g.Min, g.Desired, g.Max)
		}
	}
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
