// SPDX-License-Identifier: Apache-2.0

// Package observability tells people when something is wrong, and which page of
// runbooks/ says what to do: alarms, the topic that they go to, a dashboard, and
// the log groups of the workloads.
package observability

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/naming"
)

// Group is a log group of the workloads.
type Group struct {
	// Name is its path below the environment's: messaging/gateway.
	Name string
	// Days is how long it is kept: at least 365.
	Days int
}

// Database is an Aurora cluster to watch.
type Database struct {
	// ID is its identifier, Instances how many instances it should have.
	ID        pulumi.StringInput
	Instances int
}

// Broker is a RabbitMQ broker of Amazon MQ to watch.
type Broker struct{ Name pulumi.StringInput }

// Cluster is an EKS cluster to watch.
type Cluster struct {
	// Groups are the names of its autoscaling groups, by group and zone.
	Groups map[string]pulumi.StringOutput
}

// Balancer is a load balancer to watch, by the ends of ARNs that CloudWatch knows
// it by.
type Balancer struct {
	// Name tells it from the environment's others: booking.
	Name string
	// Suffix is the load balancer's arnSuffix, TargetGroup its target group's.
	Suffix, TargetGroup pulumi.StringInput
	// Network says that it is a network load balancer, not an application one.
	Network bool
}

// Args say what is watched and who hears of it. What is nil is not there.
type Args struct {
	Names naming.Namer
	// Account is the number of the account, 12 digits; Region is its region.
	Account, Region string
	// Key encrypts logs and alerts: the ARN of the key for logs.
	Key pulumi.StringInput
	// Emails are who gets alerts by mail, at least one: a pager's address in live.
	Emails []string

	// Sleeps says that the environment is put to sleep: what then gives no numbers is
	// no alarm.
	Sleeps bool

	Database  *Database
	Broker    *Broker
	Cluster   *Cluster
	Balancers []Balancer
	Groups    []Group
}

var (
	email = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
	paths = regexp.MustCompile(`^[a-z0-9-]+(/[a-z0-9-]+)*$`)
)

// Validate names all that is wrong.
func (a *Args) Validate() error {
	var p component.Problems
	p.Need("names", a.Names.Name(), "the namer of the environment")
	p.Account("account", a.Account)
	p.Need("region", a.Region, "the environment's region")
	p.Given("key", a.Key, "the ARN of the key for logs")
	if len(a.Emails) == 0 {
		p.Add("emails", "is empty: nobody would hear of an alarm; name at least one address")
	}
	for i, e := range a.Emails {
		if !email.MatchString(e) {
			p.Add(fmt.Sprintf("emails[%d]", i), "%q is no mail address", e)
		}
	}
	if a.Database != nil {
		p.Given("database.id", a.Database.ID, "the cluster's identifier")
		p.Between("database.instances", a.Database.Instances, 1, 15)
	}
	if a.Broker != nil {
		p.Given("broker.name", a.Broker.Name, "the broker's name")
	}
	if a.Cluster != nil && len(a.Cluster.Groups) == 0 {
		p.Add("cluster.groups", "is empty; pass the cluster's autoscaling groups")
	}
	seen := map[string]bool{}
	for i, b := range a.Balancers {
		at := fmt.Sprintf("balancers[%d]", i)
		if b.Name == "" || seen[b.Name] {
			p.Add(at+".name", "is %q; it must be set, and no other balancer's", b.Name)
		}
		seen[b.Name] = true
		p.Given(at+".suffix", b.Suffix, "the load balancer's arnSuffix")
		p.Given(at+".targetGroup", b.TargetGroup, "the target group's arnSuffix")
	}
	for i, g := range a.Groups {
		at := fmt.Sprintf("groups[%d]", i)
		if !paths.MatchString(g.Name) || strings.HasPrefix(g.Name, "aws") {
			p.Add(at+".name", "is %q; it must be a path of lower-case labels, such as messaging/gateway", g.Name)
		}
		p.Retention(at+".days", g.Days)
	}
	return p.Err()
}
