// SPDX-License-Identifier: Apache-2.0

package observability

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// alarm is one metric with its limit.
type alarm struct {
	// name is the alarm's below the environment's; title is its title on the
	// dashboard.
	name, title string
	// page is the runbook's: a reason of runbooks/.
	page string
	// what says in words what is wrong.
	what string

	namespace, metric string
	dimensions        pulumi.StringMap
	// statistic over a minute is compared with the limit.
	statistic string
	below     bool
	limit     float64
	// minutes in a row make an alarm.
	minutes int
	// silence says that no numbers mean that the thing itself is gone.
	silence bool
	// host tells alarms of machines, of which many at once are a storm.
	host bool
}

const (
	// period is the finest that all these metrics have, in seconds.
	period = 60
	// busy is the share of a machine's time, in percent, above which the loss of a zone
	// would overload the others. (domain, rule 11: at most 80 % utilised)
	busy = 80
	// busyMinutes lets short peaks be.
	busyMinutes = 15
	// freeBytes is how much room for sorting and temporary tables has to be left, 10 GiB.
	freeBytes = 10 << 30
	// transactions is half of the 2^31 after which PostgreSQL stops to protect its data:
	// it leaves weeks to find what holds vacuum up.
	transactions = 1 << 30
	// lagMilliseconds is how far a standby in another zone may be behind; it reads the
	// same storage, and is usually within 20.
	lagMilliseconds = 1000
	// backlog is how many messages wait in a broker when something does not take them.
	backlog = 100_000
	// errors is how many answers of class 5xx in a minute are no single user's bad luck.
	errors = 25
)

// alarms lists what is watched, in the order of the dashboard.
func (a *Args) alarms() []alarm {
	return slices.Concat(a.balancerAlarms(), a.databaseAlarms(), a.brokerAlarms(), a.hostAlarms())
}

func (a *Args) balancerAlarms() []alarm {
	var list []alarm
	for _, b := range a.Balancers {
		namespace, page := "AWS/ApplicationELB", "ServiceUnavailable"
		if b.Network {
			namespace, page = "AWS/NetworkELB", "GatewayUnavailable"
		}
		dimensions := pulumi.StringMap{"LoadBalancer": b.Suffix, "TargetGroup": b.TargetGroup}
		list = append(list,
			alarm{
				name: b.Name + "-down", title: b.Name + ": healthy targets", page: page, what: "nothing behind the load balancer answers",
				namespace: namespace, metric: "HealthyHostCount", dimensions: dimensions, statistic: "Maximum", below: true, limit: 1, minutes: 2, silence: true,
			},
			alarm{
				name: b.Name + "-members", title: b.Name + ": unhealthy targets", page: "MembersMissing", what: "a target behind the load balancer does not answer",
				namespace: namespace, metric: "UnHealthyHostCount", dimensions: dimensions, statistic: "Maximum", limit: 0, minutes: 5,
			})
		if !b.Network {
			list = append(list, alarm{
				name: b.Name + "-errors", title: b.Name + ": answers 5xx", page: "ProbeFailed", what: "many requests end in errors",
				namespace: namespace, metric: "HTTPCode_Target_5XX_Count", dimensions: pulumi.StringMap{"LoadBalancer": b.Suffix},
				statistic: "Sum", limit: errors, minutes: 5,
			})
		}
	}
	return list
}

func (a *Args) databaseAlarms() []alarm {
	if a.Database == nil {
		return nil
	}
	cluster := pulumi.StringMap{"DBClusterIdentifier": a.Database.ID}
	writer := pulumi.StringMap{"DBClusterIdentifier": a.Database.ID, "Role": pulumi.String("WRITER")}
	list := []alarm{
		{
			name: "db-down", title: "database: seconds that the primary is up", page: "DatabaseUnavailable", what: "the database has no primary, or it has just begun",
			metric: "EngineUptime", dimensions: writer, statistic: "Maximum", below: true, limit: 1, minutes: 2, silence: true,
		},
		{
			name: "db-busy", title: "database: processors in use, %", page: "DatabaseUnavailable", what: "the database's primary is busier than the loss of a zone allows",
			metric: "CPUUtilization", dimensions: writer, statistic: "Average", limit: busy, minutes: busyMinutes,
		},
		{
			name: "db-room", title: "database: room for temporary data, bytes", page: "DatabaseUnavailable", what: "an instance of the database runs out of room for sorting",
			metric: "FreeLocalStorage", dimensions: cluster, statistic: "Minimum", below: true, limit: freeBytes, minutes: 5,
		},
		{
			name: "db-transactions", title: "database: age of the oldest transaction", page: "DatabaseUnavailable", what: "vacuum does not keep up, and PostgreSQL will stop to protect its data",
			metric: "MaximumUsedTransactionIDs", dimensions: cluster, statistic: "Maximum", limit: transactions, minutes: 5,
		},
	}
	if a.Database.Instances > 1 {
		list = append(list, alarm{
			name: "db-lag", title: "database: lag of the standbys, ms", page: "MembersMissing", what: "a standby of the database does not follow, or none is left",
			metric: "AuroraReplicaLagMaximum", dimensions: cluster, statistic: "Maximum", limit: lagMilliseconds, minutes: 5, silence: true,
		})
	}
	for i := range list {
		list[i].namespace = "AWS/RDS"
	}
	return list
}

func (a *Args) brokerAlarms() []alarm {
	if a.Broker == nil {
		return nil
	}
	broker := pulumi.StringMap{"Broker": a.Broker.Name}
	list := []alarm{
		{
			name: "broker-down", title: "broker: connections", page: "BrokerUnavailable", what: "the broker gives no sign of life",
			metric: "ConnectionCount", dimensions: broker, statistic: "Maximum", below: true, limit: 0, minutes: 3, silence: true,
		},
		{
			name: "broker-busy", title: "broker: processors in use, %", page: "BrokerUnavailable", what: "the broker is busier than the loss of a zone allows",
			metric: "SystemCpuUtilization", dimensions: broker, statistic: "Maximum", limit: busy, minutes: busyMinutes,
		},
		{
			name: "broker-backlog", title: "broker: messages that wait", page: "BacklogOverdue", what: "messages are not taken from the broker",
			metric: "MessageReadyCount", dimensions: broker, statistic: "Maximum", limit: backlog, minutes: 15,
		},
	}
	for i := range list {
		list[i].namespace = "AWS/AmazonMQ"
	}
	return list
}

func (a *Args) hostAlarms() []alarm {
	if a.Cluster == nil {
		return nil
	}
	var list []alarm
	for _, group := range slices.Sorted(maps.Keys(a.Cluster.Groups)) {
		dimensions := pulumi.StringMap{"AutoScalingGroupName": a.Cluster.Groups[group]}
		list = append(list,
			alarm{
				name: "hosts-" + group, title: group + ": machines that fail their checks", page: "MembersMissing", what: "a machine of the cluster fails its checks, or none is left",
				namespace: "AWS/EC2", metric: "StatusCheckFailed", dimensions: dimensions, statistic: "Maximum", limit: 0, minutes: 3, silence: true, host: true,
			},
			alarm{
				name: "hosts-" + group + "-busy", title: group + ": processors in use, %", page: "MembersMissing", what: "the machines are busier than the loss of a zone allows",
				namespace: "AWS/EC2", metric: "CPUUtilization", dimensions: dimensions, statistic: "Average", limit: busy, minutes: busyMinutes,
			})
	}
	return list
}

// description names the page first: it is what is read on a pager.
func description(page, what string) string {
	return fmt.Sprintf("%s. Runbook: runbooks/%s.md (kubectl spine explain %s)", strings.ToUpper(what[:1])+what[1:], page, page)
}

func (a *Args) alarm(ctx *pulumi.Context, topic *Topic, m alarm, under ...pulumi.ResourceOption) (*cloudwatch.MetricAlarm, error) {
	comparison, missing := "GreaterThanThreshold", "notBreaching"
	if m.below {
		comparison = "LessThanThreshold"
	}
	if m.silence && !a.Sleeps {
		missing = "breaching"
	}
	name := a.Names.Name(m.name)
	return cloudwatch.NewMetricAlarm(ctx, name, &cloudwatch.MetricAlarmArgs{
		Name: pulumi.String(name), AlarmDescription: pulumi.String(description(m.page, m.what)),
		Namespace: pulumi.String(m.namespace), MetricName: pulumi.String(m.metric), Dimensions: m.dimensions,
		Statistic: pulumi.String(m.statistic), Period: pulumi.Int(period), EvaluationPeriods: pulumi.Int(m.minutes),
		ComparisonOperator: pulumi.String(comparison), Threshold: pulumi.Float64(m.limit), TreatMissingData: pulumi.String(missing),
		// The end is told too: nobody should have to go and look.
		AlarmActions: pulumi.Array{topic.ARN}, OkActions: pulumi.Array{topic.ARN},
	}, under...)
}
