// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/document"
	"spine.nhs.uk/controlplane/infra/component"
)

// Pods are the roles of programs in a cluster.
type Pods struct {
	pulumi.ResourceState

	// RoleArns are the roles by the pods' names.
	RoleArns map[string]pulumi.StringOutput
}

// NewPods gives programs of a cluster their roles, by EKS Pod Identity: no OIDC
// provider in the account, no annotation with an account's number in a manifest,
// and the session carries namespace and service account into the audit trail.
func NewPods(ctx *pulumi.Context, name string, args *PodsArgs, opts ...pulumi.ResourceOption) (*Pods, error) {
	p := &Pods{RoleArns: map[string]pulumi.StringOutput{}}
	if err := component.Register(ctx, component.TypeAWSPods, name, args, p, opts...); err != nil {
		return nil, err
	}
	outputs := pulumi.Map{}
	for _, pod := range args.Pods {
		arn, err := args.pod(ctx, pod, pulumi.Parent(p))
		if err != nil {
			return nil, err
		}
		p.RoleArns[pod.Name], outputs[pod.Name] = arn, arn
	}
	return p, component.Done(ctx, p, pulumi.Map{"roleArns": outputs})
}

// pod makes a program's role, its rights, and ties it to its service account.
func (a *PodsArgs) pod(ctx *pulumi.Context, pod Pod, parent pulumi.ResourceOption) (pulumi.StringOutput, error) {
	name := a.Names.Name("pod", pod.Name)
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		Name: pulumi.String(name), Description: pulumi.String("Pods of " + pod.Namespace + "/" + pod.ServiceAccount),
		AssumeRolePolicy: pulumi.String(document.JSON(document.Statement{
			Principal: document.Service("pods.eks.amazonaws.com"), Action: []string{"sts:AssumeRole", "sts:TagSession"},
			Condition: document.FromAccount(a.Account),
		})),
	}, parent)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	_, err = iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{Name: pulumi.String("rights"), Role: role.Name, Policy: pod.policy()}, parent)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	_, err = eks.NewPodIdentityAssociation(ctx, name, &eks.PodIdentityAssociationArgs{
		ClusterName: a.ClusterName, Namespace: pulumi.String(pod.Namespace), ServiceAccount: pulumi.String(pod.ServiceAccount), RoleArn: role.Arn,
	}, parent)
	return role.Arn, err
}

// policy is the document of a program's rights, once all resources have names.
func (d Pod) policy() pulumi.StringOutput {
	var resources []any
	for _, s := range d.Statements {
		for _, r := range s.Resources {
			resources = append(resources, r)
		}
	}
	return pulumi.All(resources...).ApplyT(func(known []any) string {
		var statements []document.Statement
		for _, s := range d.Statements {
			statement := document.Statement{Action: s.Actions, Condition: s.Conditions}
			for range s.Resources {
				statement.Resource = append(statement.Resource, known[0].(string))
				known = known[1:]
			}
			statements = append(statements, statement)
		}
		return document.JSON(statements...)
	}).(pulumi.StringOutput)
}
