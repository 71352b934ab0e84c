// SPDX-License-Identifier: Apache-2.0

package cloud

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/aws/backup"
	"spine.nhs.uk/controlplane/infra/aws/broker"
	"spine.nhs.uk/controlplane/infra/aws/database"
	"spine.nhs.uk/controlplane/infra/aws/keys"
	"spine.nhs.uk/controlplane/infra/aws/network"
	"spine.nhs.uk/controlplane/infra/aws/security"
	"spine.nhs.uk/controlplane/infra/aws/storage"
)

const (
	// documents is the bucket of what is attached to referrals.
	documents = "documents"
	// infrequentDays: a letter is read in the weeks around its appointment, and rarely
	// after three months.
	infrequentDays = 90
	// oldVersionDays is how long what was overwritten can be had back, as the database can.
	oldVersionDays = 35
)

func (s *stack) makeDatabase() (err error) {
	d := s.env.Database
	var zones []string
	for _, subnet := range s.network.Data {
		zones = append(zones, subnet.Zone)
	}
	// AWS would refuse last, after a destroy has taken all that stands before the database: Pulumi refuses before the first.
	protect := s.serving() || !s.deletable()
	s.database, err = database.New(s.ctx, s.name, &database.Args{
		Names: s.names, Protect: protect, Deletable: s.deletable(), Version: d.EngineVersion, InstanceClass: d.InstanceClass, Instances: d.Instances, Zones: zones,
		Database: string(s.env.Service), Password: pulumi.ToSecret(pulumi.String(s.secrets.database)).(pulumi.StringOutput),
		VPC: s.network.VpcID, Subnets: network.IDs(s.network.Data), Clients: []pulumi.StringInput{s.cluster.NodeSecurityGroup},
		Key: s.keys.ARN[keys.Patient], LogsKey: s.keys.ARN[keys.Logs], SecretsKey: s.keys.ARN[keys.Secrets], LogDays: s.env.Logs.RetentionDays,
	}, s.by())
	return err
}

func (s *stack) makeBroker() (err error) {
	b := s.env.Broker
	if b.Kind != environments.BrokerAmazonMQ {
		return nil
	}
	s.broker, err = broker.New(s.ctx, s.name, &broker.Args{
		Names: s.names, Protect: s.serving(), Version: b.EngineVersion, InstanceType: b.InstanceType,
		VPC: s.network.VpcID, Subnets: network.IDs(s.network.Data), Clients: []pulumi.StringInput{s.cluster.NodeSecurityGroup},
		SecretsKey: s.keys.ARN[keys.Secrets], Password: pulumi.ToSecret(pulumi.String(s.secrets.broker)).(pulumi.StringOutput),
	}, s.by())
	return err
}

func (s *stack) makeStorage() (err error) {
	days := s.env.Documents.LockDays
	s.storage, err = storage.New(s.ctx, s.name, &storage.Args{
		Names: s.names, Account: s.account, Protect: s.serving(), Key: s.keys.ARN[keys.Patient],
		Buckets: []storage.Bucket{{
			Name: documents, Data: string(s.env.DataClass),
			// A patient may ask that a letter be deleted, so the lock is one that two people can lift.
			Lock: storage.Governance, LockDays: days, InfrequentDays: infrequentDays, OldVersionDays: max(days, oldVersionDays),
		}},
	}, s.by())
	return err
}

func (s *stack) makeSecurity() error {
	_, err := security.New(s.ctx, s.name, &security.Args{
		Names: s.names, Account: s.account, Region: string(s.env.Region), Protect: s.serving(),
		Key: s.keys.ARN[keys.Logs], VolumesKey: s.keys.ARN[keys.Platform], LogDays: s.env.Logs.RetentionDays,
		DataBuckets: []pulumi.StringInput{s.storage.Buckets[documents].ARN}, Alerts: s.alerts.ARN,
	}, s.by())
	return err
}

func (s *stack) makeBackup() error {
	if s.env.Recovery.Vault != environments.VaultOtherAccount {
		return nil
	}
	args := &backup.Args{
		Names: s.names, Account: s.account, Protect: s.serving(), LockAfterDays: s.env.Recovery.LockAfterDays,
		Away: backup.Away{Account: s.backups, Provider: s.away},
		Key:  s.keys.ARN[keys.Backups], Alerts: s.alerts.ARN,
		Resources: []pulumi.StringInput{s.database.ARN, s.storage.Buckets[documents].ARN},
		Tested:    []string{"Aurora", "S3"},
	}
	if s.serving() {
		args.Resources = append(args.Resources, s.keys.WitnessTableARN)
		args.Tested = append(args.Tested, "DynamoDB")
	}
	_, err := backup.New(s.ctx, s.name, args, s.by())
	return err
}
