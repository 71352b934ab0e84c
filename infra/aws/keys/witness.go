// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// recoveryDays is how far back the table can be taken: all that DynamoDB offers, and
// what every database of ours has.
const recoveryDays = 35

// witness is the third place that sites vote in: one item for each service, changed
// only on the condition that it is still what the voter read. A conditional write to
// DynamoDB is decided in one place for all zones, which is all that a vote needs.
func (a *Args) witness(ctx *pulumi.Context, key pulumi.StringInput, under ...pulumi.ResourceOption) (*dynamodb.Table, error) {
	name := a.Names.Name("witness")
	return dynamodb.NewTable(ctx, name, &dynamodb.TableArgs{
		Name: pulumi.String(name),
		// Votes are few and come at once when a site fails: capacity that is paid by
		// request is always there.
		BillingMode: pulumi.String("PAY_PER_REQUEST"),
		HashKey:     pulumi.String("service"),
		Attributes: dynamodb.TableAttributeArray{
			&dynamodb.TableAttributeArgs{Name: pulumi.String("service"), Type: pulumi.String("S")},
		},
		ServerSideEncryption:      &dynamodb.TableServerSideEncryptionArgs{Enabled: pulumi.Bool(true), KmsKeyArn: key},
		PointInTimeRecovery:       &dynamodb.TablePointInTimeRecoveryArgs{Enabled: pulumi.Bool(true), RecoveryPeriodInDays: pulumi.Int(recoveryDays)},
		DeletionProtectionEnabled: pulumi.Bool(!a.Deletable),
	}, append(under, pulumi.Protect(a.Protect))...)
}
