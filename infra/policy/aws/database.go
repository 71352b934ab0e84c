// SPDX-License-Identifier: Apache-2.0

package aws

import (
	"fmt"
	"maps"
	"slices"

	"spine.nhs.uk/controlplane/infra/policy"
)

const (
	rdsCluster  = "aws:rds/cluster:Cluster"
	rdsMember   = "aws:rds/clusterInstance:ClusterInstance"
	rdsInstance = "aws:rds/instance:Instance"
	docCluster  = "aws:docdb/cluster:Cluster"
	broker      = "aws:mq/broker:Broker"
	dynamo      = "aws:dynamodb/table:Table"
)

// dailyDays is how long daily backups are kept.
const dailyDays = 35

// fewest is how many instances survive the loss of a zone with one to spare.
const fewest = 3

func databaseRules() []policy.Rule {
	return []policy.Rule{
		{
			Name: "database-encrypted", Controls: append(cis("2.3.1"), ncsc("2.3")...),
			Types:       []string{rdsCluster, rdsInstance, docCluster, broker, dynamo},
			Explanation: "Databases and brokers are encrypted at rest, with a key of ours. (RabbitMQ with one of AWS's: Amazon MQ takes no other for it.)",
			Fix:         "Set storageEncrypted and kmsKeyId (a broker: encryptionOptions; a table: serverSideEncryption).",
			Check: exceptRabbitMQ(byType(map[string][]policy.Demand{
				rdsCluster:  {policy.IsTrue("storageEncrypted"), policy.IsSet("kmsKeyId")},
				rdsInstance: {policy.IsTrue("storageEncrypted"), policy.IsSet("kmsKeyId")},
				docCluster:  {policy.IsTrue("storageEncrypted"), policy.IsSet("kmsKeyId")},
				broker:      {policy.IsFalse("encryptionOptions", "useAwsOwnedKey"), policy.IsSet("encryptionOptions", "kmsKeyId")},
				dynamo:      {policy.IsTrue("serverSideEncryption", "enabled")},
			})),
		},
		{
			Name: "database-deletion-protected", Controls: append(caf("B5", "D1"), ncsc("2.6")...),
			Types:       []string{rdsCluster, rdsInstance, docCluster, dynamo},
			Explanation: "AWS itself refuses to delete a database, and a last snapshot is taken of one that does go.",
			Fix:         "Set deletionProtection (a table: deletionProtectionEnabled), and skipFinalSnapshot to false.",
			Check: byType(map[string][]policy.Demand{
				rdsCluster:  {policy.IsTrue("deletionProtection"), policy.IsNotTrue("skipFinalSnapshot")},
				rdsInstance: {policy.IsTrue("deletionProtection"), policy.IsNotTrue("skipFinalSnapshot")},
				docCluster:  {policy.IsTrue("deletionProtection"), policy.IsNotTrue("skipFinalSnapshot")},
				dynamo:      {policy.IsTrue("deletionProtectionEnabled")},
			}),
		},
		{
			Name: "database-backups", Controls: append(caf("D1"), ncsc("2.6")...),
			Types:       []string{rdsCluster, rdsInstance, docCluster, dynamo},
			Explanation: "Databases can be taken back to any moment of the last 35 days.",
			Fix:         "Set backupRetentionPeriod to 35 (a table: pointInTimeRecovery).",
			Check: byType(map[string][]policy.Demand{
				rdsCluster:  {policy.AtLeast(dailyDays, "backupRetentionPeriod")},
				rdsInstance: {policy.AtLeast(dailyDays, "backupRetentionPeriod")},
				docCluster:  {policy.AtLeast(dailyDays, "backupRetentionPeriod")},
				dynamo:      {policy.IsTrue("pointInTimeRecovery", "enabled")},
			}),
		},
		{
			Name: "database-private", Controls: append(cis("2.3.3"), ncsc("11")...),
			Types:       []string{rdsInstance, rdsMember, broker},
			Explanation: "Databases and brokers have no address in the Internet.",
			Fix:         "Set publiclyAccessible to false.",
			Check:       policy.Demands(policy.IsNotTrue("publiclyAccessible")),
		},
		{
			Name: "database-tls", Controls: ncsc("1"),
			Types:       []string{"aws:rds/clusterParameterGroup:ClusterParameterGroup", "aws:rds/parameterGroup:ParameterGroup"},
			Explanation: "Databases take no connection without TLS.",
			Fix:         "Set the parameter rds.force_ssl to 1.",
			Check:       forcesTLS,
		},
		{
			Name: "database-updates", Controls: append(cis("2.3.2"), ncsc("5")...),
			Types:       []string{rdsInstance, rdsMember, broker},
			Explanation: "Security fixes of a database or broker are applied in its maintenance window.",
			Fix:         "Set autoMinorVersionUpgrade to true.",
			Check: byType(map[string][]policy.Demand{
				// The databases' default is to do so.
				rdsInstance: {onByDefault("autoMinorVersionUpgrade")},
				rdsMember:   {onByDefault("autoMinorVersionUpgrade")},
				broker:      {policy.IsTrue("autoMinorVersionUpgrade")},
			}),
		},
		{
			Name: "broker-multi-zone", Controls: append(caf("B5"), controls(policy.Spine, "2")...),
			Types:       []string{broker},
			Explanation: "A broker has a node in each of three zones.",
			Fix:         "Set deploymentMode to CLUSTER_MULTI_AZ.",
			Check:       policy.Demands(policy.OneOf([]string{"CLUSTER_MULTI_AZ"}, "deploymentMode")),
		},
		{
			Name: "database-multi-zone", Controls: append(caf("B5"), controls(policy.Spine, "2", "11")...),
			Explanation: "A live database has an instance in each of three zones: while one is lost, another is still to spare.",
			Fix:         "Add instances to the cluster, each in an availabilityZone of its own.",
			CheckStack:  zones,
		},
	}
}

// exceptRabbitMQ leaves brokers of that engine out: "encryptionOptions does not apply to
// RabbitMQ brokers" (AWS::AmazonMQ::Broker); AWS encrypts them with AES-256 by itself.
func exceptRabbitMQ(rule check) check {
	return func(r policy.Resource, in policy.Environment) []policy.Finding {
		if r.Type == broker && r.Input("engineType").Text() == "RabbitMQ" {
			return nil
		}
		return rule(r, in)
	}
}

// onByDefault is for switches that AWS has on.
func onByDefault(path ...any) policy.Demand {
	return policy.Demand{Path: path, Wanted: "true", Met: func(n policy.Node) bool { return n.Value != false }}
}

func forcesTLS(r policy.Resource, _ policy.Environment) []policy.Finding {
	list := r.Input("parameters")
	if list.Hidden() {
		return nil
	}
	for _, p := range list.Items() {
		if name, value := p.At("name"), p.At("value"); name.Hidden() || name.Text() == "rds.force_ssl" && (value.Hidden() || fmt.Sprint(value.Value) == "1") {
			return nil
		}
	}
	return []policy.Finding{list.Found("rds.force_ssl is not 1")}
}

// zones counts the instances of each cluster and the zones that they are in.
func zones(s policy.Stack) []policy.Finding {
	if !s.Live() {
		return nil
	}
	type count struct {
		instances int
		zones     map[string]int
	}
	counts := map[string]*count{}
	for _, r := range s.Resources {
		if r.Type != rdsMember || r.Goes() {
			continue
		}
		cluster := r.Input("clusterIdentifier")
		if cluster.Hidden() {
			return nil // which cluster it belongs to is not known yet
		}
		c := counts[cluster.Text()]
		if c == nil {
			c = &count{zones: map[string]int{}}
			counts[cluster.Text()] = c
		}
		c.instances++
		if zone := r.Input("availabilityZone"); !zone.Hidden() && zone.Text() != "" {
			c.zones[zone.Text()]++
		}
	}
	var found []policy.Finding
	for _, r := range s.Resources {
		if r.Type != rdsCluster || r.Goes() {
			continue
		}
		at := r.Input("clusterIdentifier")
		c := counts[at.Text()]
		if at.Hidden() || at.Text() == "" {
			continue
		}
		if c == nil || c.instances < fewest {
			f := at.Found("cluster %s has fewer than %d instances", at.Text(), fewest)
			f.URN = r.URN
			found = append(found, f)
			continue
		}
		for _, zone := range slices.Sorted(maps.Keys(c.zones)) {
			if n := c.zones[zone]; n > (c.instances-1)/2 {
				f := at.Found("zone %s holds %d of the %d instances of cluster %s", zone, n, c.instances, at.Text())
				f.URN = r.URN
				found = append(found, f)
			}
		}
	}
	return found
}
