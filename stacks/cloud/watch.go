// SPDX-License-Identifier: Apache-2.0

package cloud

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/aws/edge"
	"spine.nhs.uk/controlplane/infra/aws/finops"
	"spine.nhs.uk/controlplane/infra/aws/keys"
	"spine.nhs.uk/controlplane/infra/aws/observability"
)

// leastAnomalyUSD and anomalyShare: cost above what is usual alerts from a twentieth of
// the budget on, and small budgets not at every coffee.
const leastAnomalyUSD, anomalyShare = 50, 20

// watched says who hears of alarms, and what is there so far to watch.
func (s *stack) watched() *observability.Args {
	args := &observability.Args{
		Names: s.names, Account: s.account, Region: string(s.env.Region), Key: s.keys.ARN[keys.Logs], Emails: s.env.Finance.AlertsTo,
		Sleeps: s.env.Finance.Running == environments.RunningWorkingHours,
	}
	for _, name := range []string{"messaging", "booking", "platform"} {
		if name != "booking" || s.hasBooking() {
			args.Groups = append(args.Groups, observability.Group{Name: name, Days: s.env.Logs.RetentionDays})
		}
	}
	return args
}

func (s *stack) makeObservability() error {
	args := s.watched()
	args.Database = &observability.Database{ID: s.database.ID, Instances: s.env.Database.Instances}
	args.Cluster = &observability.Cluster{Groups: s.cluster.Groups}
	if s.broker != nil {
		args.Broker = &observability.Broker{Name: pulumi.String(s.broker.Broker.Name)}
	}
	add := func(name string, to *edge.Target, network bool) {
		args.Balancers = append(args.Balancers, observability.Balancer{Name: name, Suffix: to.ARNSuffix, TargetGroup: to.TargetGroupSuffix, Network: network})
	}
	add(messages, s.edge.Messaging, true)
	if s.hasBooking() {
		add(referrals, s.edge.Booking, false)
	}
	_, err := observability.New(s.ctx, s.name, s.alerts, args, s.by())
	return err
}

func (s *stack) makeFinOps() error {
	f := s.env.Finance
	args := &finops.Args{
		Names: s.names, Account: s.account, Region: string(s.env.Region), Live: s.serving(),
		MonthlyUSD: f.MonthlyBudgetUSD, Emails: f.AlertsTo, Alerts: s.alerts.ARN,
	}
	if f.Anomalies == environments.AnomaliesWatched {
		args.AnomalyUSD = max(leastAnomalyUSD, f.MonthlyBudgetUSD/anomalyShare)
	}
	if f.Running == environments.RunningWorkingHours {
		args.Schedule = s.schedule()
	}
	_, err := finops.New(s.ctx, s.name, args, s.by())
	return err
}

// schedule puts machines and database to sleep.
func (s *stack) schedule() *finops.Schedule {
	c, f := s.env.Cluster, s.env.Finance
	made := &finops.Schedule{Sleep: f.Sleep, Wake: f.Wake, Database: s.database.ID}
	for _, subnet := range s.network.Apps {
		made.Services = append(made.Services, finops.NodeGroup{
			Cluster: pulumi.String(s.cluster.Name), Name: pulumi.String(s.cluster.NodeGroups[group+"-"+subnet.Zone]),
			Min: c.NodesPerZone, Desired: c.NodesPerZone, Max: c.MostPerZone,
		})
	}
	return made
}
