// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"errors"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/document"
	"spine.nhs.uk/controlplane/infra/component"
)

// sessionSeconds is the longest that a deployment may take: making a whole
// environment takes over an hour, most of it waiting for clusters.
const sessionSeconds = 2 * 60 * 60

// Identity is who may do what.
type Identity struct {
	pulumi.ResourceState

	// DeployRoleArn is the role that deploys the environment.
	DeployRoleArn pulumi.StringOutput
	// BoundaryArn is the ceiling of all roles that the deployment makes.
	BoundaryArn pulumi.StringOutput
}

// New makes the deployment role and the boundary. Both are made with an
// administrator's credentials, when the account is set up, and whenever the types in
// use change: the deployment role cannot change itself.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Identity, error) {
	i := &Identity{}
	if err := component.Register(ctx, component.TypeAWSIdentity, name, args, i, opts...); err != nil {
		return nil, err
	}
	documents, err := args.Policies()
	if err != nil {
		return nil, err
	}
	parent := pulumi.Parent(i)
	boundary, err := policy(ctx, args.Names.Name("boundary"), "What no role of the environment can do more than", args.boundary(), parent)
	if err != nil {
		return nil, err
	}
	deploy := args.Names.Name("deploy")
	role, err := iam.NewRole(ctx, deploy, &iam.RoleArgs{
		Name: pulumi.String(deploy), Description: pulumi.String("Deploys the environment"),
		MaxSessionDuration: pulumi.Int(sessionSeconds),
		// Whoever takes the role on says who they are, and the audit trail keeps it.
		AssumeRolePolicy: pulumi.String(document.JSON(document.Statement{
			Principal: document.Principals{"AWS": args.Deployers}, Action: []string{"sts:AssumeRole", "sts:SetSourceIdentity"},
		})),
	}, parent)
	if err != nil {
		return nil, err
	}
	for n, text := range append([]string{args.guard()}, documents...) {
		name := args.Names.Name("deploy", string(rune('a'+n)))
		made, err := policy(ctx, name, "Rights of the deployment", text, parent)
		if err != nil {
			return nil, err
		}
		_, err = iam.NewRolePolicyAttachment(ctx, name, &iam.RolePolicyAttachmentArgs{Role: role.Name, PolicyArn: made.Arn}, parent)
		if err != nil {
			return nil, err
		}
	}
	i.DeployRoleArn, i.BoundaryArn = role.Arn, boundary.Arn
	return i, component.Done(ctx, i, pulumi.Map{"deployRoleArn": i.DeployRoleArn, "boundaryArn": i.BoundaryArn})
}

func policy(ctx *pulumi.Context, name, description, text string, parent pulumi.ResourceOption) (*iam.Policy, error) {
	return iam.NewPolicy(ctx, name, &iam.PolicyArgs{
		Name: pulumi.String(name), Description: pulumi.String(description), Policy: pulumi.String(text),
	}, parent)
}

// Bound gives every role that the stack makes from now on the boundary, whichever
// component makes it. A role without could not be made: the deployment role may
// only create bounded ones.
func (i *Identity) Bound(ctx *pulumi.Context) error {
	if i.BoundaryArn.OutputState == nil {
		return errors.New("the identity has no boundary: make it by New")
	}
	return ctx.RegisterStackTransformation(func(r *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
		role, ok := r.Props.(*iam.RoleArgs)
		if !ok || role.PermissionsBoundary != nil {
			return nil
		}
		role.PermissionsBoundary = i.BoundaryArn
		return &pulumi.ResourceTransformationResult{Props: role, Opts: r.Opts}
	})
}
