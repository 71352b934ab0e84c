// SPDX-License-Identifier: Apache-2.0

package cloud

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/tags"
)

// copiesRole is the role of the account of backups that receives copies; README.md of
// environments says how it is made.
const copiesRole = "spine-backup-copies"

// providers makes the environment's own provider and, with a vault in another account, one
// that acts there. Credentials are the shell's; each provider refuses every account but
// its own, so that those of another environment do nothing.
func (s *stack) providers() error {
	args := func(account string) *aws.ProviderArgs {
		return &aws.ProviderArgs{
			Region:            pulumi.String(string(s.env.Region)),
			AllowedAccountIds: pulumi.ToStringArray([]string{account}),
			DefaultTags:       &aws.ProviderDefaultTagsArgs{Tags: pulumi.ToStringMap(s.facts())},
		}
	}
	var err error
	if s.home, err = aws.NewProvider(s.ctx, s.name, args(s.account)); err != nil {
		return err
	}
	if s.backups == "" {
		return nil
	}
	away := args(s.backups)
	away.AssumeRole = &aws.ProviderAssumeRoleArgs{
		RoleArn:     pulumi.String(s.copies()),
		SessionName: pulumi.String(s.name),
	}
	s.away, err = aws.NewProvider(s.ctx, s.names.Name("backups"), away)
	return err
}

// copies is the ARN of the role that receives copies.
func (s *stack) copies() string { return fmt.Sprintf("arn:aws:iam::%s:role/%s", s.backups, copiesRole) }

// by has the environment's own provider act.
func (s *stack) by() pulumi.ResourceOption { return pulumi.Provider(s.home) }

// facts are what every resource is tagged with.
func (s *stack) facts() map[string]string {
	return tags.Cloud{
		Tags:    tags.Tags{Environment: s.env.Name, Owner: s.env.Owner},
		Service: string(s.env.Service), Tier: string(s.env.Tier), CostCentre: s.env.CostCentre, DataClass: string(s.env.DataClass),
	}.Map()
}
