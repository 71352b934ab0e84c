// SPDX-License-Identifier: Apache-2.0

// Package identity is who may do what in an environment's account: the role that
// deploys it, with exactly the actions that its resources need; the ceiling of
// every role that it makes; and the roles of pods.
package identity

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/document"
	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/naming"
)

// Args say whose rights they are.
type Args struct {
	Names naming.Namer
	// Environment is the name with which all names of the environment begin: rights
	// on things that have a name end there.
	Environment string
	// Account is the environment's AWS account, 12 digits.
	Account string
	// Types are the type tokens of all AWS resources that the environment's stack
	// makes, such as "aws:ec2/vpc:Vpc": each one of Known.
	Types []string
	// Deployers are ARNs of the roles of the same account that may take the
	// deployment role on, 1 to 10: people's single sign-on, and the pipeline's.
	Deployers []string
	// StateBucket is the S3 bucket with the stack's state, and StateKeyArn the KMS
	// key of the secrets in it: the role reads and writes its own stack's only.
	StateBucket, StateKeyArn string
	// Elsewhere are ARNs of roles in other accounts that the deployment takes on, at
	// most 4: that of the account which keeps the backups.
	Elsewhere []string
}

var (
	roleARN = regexp.MustCompile(`^arn:aws:iam::([0-9]{12}):role/[A-Za-z0-9+=,.@_/-]+$`)
	keyARN  = regexp.MustCompile(`^arn:aws:kms:eu-west-2:[0-9]{12}:key/[a-f0-9-]+$`)
	bucket  = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
)

// mostDeployers bounds the roles that may deploy; mostElsewhere those in other
// accounts.
const mostDeployers, mostElsewhere = 10, 4

// Validate says everything that is wrong with the arguments.
func (a *Args) Validate() error {
	var p component.Problems
	p.Need("environment", a.Environment, "the name that all names of the environment begin with")
	p.Account("account", a.Account)
	if len(a.Types) == 0 {
		p.Add("types", "is empty; list the types that the stack makes, or the role can make nothing")
	}
	for i, t := range a.Types {
		if _, known := actions[t]; !known {
			p.Add(fmt.Sprintf("types[%d]", i), "is %q, and what it takes is unknown; add it to the tables of package identity", t)
		}
	}
	p.Between("deployers", len(a.Deployers), 1, mostDeployers)
	for i, d := range a.Deployers {
		if m := roleARN.FindStringSubmatch(d); m == nil || m[1] != a.Account {
			p.Add(fmt.Sprintf("deployers[%d]", i), "is %q; it must be the ARN of a role of account %s", d, a.Account)
		}
	}
	p.Between("elsewhere", len(a.Elsewhere), 0, mostElsewhere)
	for i, d := range a.Elsewhere {
		if m := roleARN.FindStringSubmatch(d); m == nil || m[1] == a.Account {
			p.Add(fmt.Sprintf("elsewhere[%d]", i), "is %q; it must be the ARN of a role of another account than %s", d, a.Account)
		}
	}
	if !bucket.MatchString(a.StateBucket) {
		p.Add("stateBucket", "is %q; it must be the name of an S3 bucket", a.StateBucket)
	}
	if !keyARN.MatchString(a.StateKeyArn) {
		p.Add("stateKeyArn", "is %q; it must be the ARN of a KMS key in eu-west-2", a.StateKeyArn)
	}
	return p.Err()
}

// PodsArgs say which programs of a cluster have rights in AWS.
type PodsArgs struct {
	Names naming.Namer
	// ClusterName is the EKS cluster's.
	ClusterName pulumi.StringInput
	// Account is the environment's AWS account, 12 digits.
	Account string
	// Pods are the programs, 1 to 50.
	Pods []Pod
}

// Pod is one program's rights.
type Pod struct {
	// Name names the role: a DNS label of at most 30 characters.
	Name string
	// Namespace and ServiceAccount are those of its pods.
	Namespace, ServiceAccount string
	// Statements are its rights, 1 to 20.
	Statements []Statement
}

// Statement allows actions on resources.
type Statement struct {
	// Actions are whole names such as "s3:GetObject"; "*" is refused anywhere.
	Actions []string
	// Resources are ARNs; one that is "*" needs a Reason.
	Resources []pulumi.StringInput
	// Reason says why the actions cannot be limited to resources.
	Reason string
	// Conditions narrow it further, such as to some names of a zone; nil for none.
	Conditions document.Conditions
}

// mostPods and mostStatements bound the lists.
const mostPods, mostStatements = 50, 20

var (
	action = regexp.MustCompile(`^[a-z0-9-]+:[A-Z][A-Za-z0-9]+$`)
	label  = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
)

// longestPodName leaves room for the environment's in a role's name of 64.
const longestPodName = 30

// Validate says everything that is wrong with the arguments.
func (a *PodsArgs) Validate() error {
	var p component.Problems
	p.Given("clusterName", a.ClusterName, "the name of the EKS cluster")
	p.Account("account", a.Account)
	p.Between("pods", len(a.Pods), 1, mostPods)
	for i, pod := range a.Pods {
		pod.validate(&p, fmt.Sprintf("pods[%d]", i))
	}
	return p.Err()
}

func (d Pod) validate(p *component.Problems, path string) {
	for _, field := range []struct{ name, value string }{{"name", d.Name}, {"namespace", d.Namespace}, {"serviceAccount", d.ServiceAccount}} {
		if !label.MatchString(field.value) {
			p.Add(path+"."+field.name, "is %q; it must be a DNS label", field.value)
		}
	}
	if len(d.Name) > longestPodName {
		p.Add(path+".name", "has %d characters; at most %d", len(d.Name), longestPodName)
	}
	p.Between(path+".statements", len(d.Statements), 1, mostStatements)
	for i, s := range d.Statements {
		s.validate(p, fmt.Sprintf("%s.statements[%d]", path, i))
	}
}

func (s Statement) validate(p *component.Problems, path string) {
	if len(s.Actions) == 0 || len(s.Resources) == 0 {
		p.Add(path, "lacks actions or resources; both are needed")
	}
	for i, a := range s.Actions {
		if !action.MatchString(a) {
			p.Add(fmt.Sprintf("%s.actions[%d]", path, i), "is %q; it must be one action's whole name, such as s3:GetObject", a)
		}
	}
	if slices.Contains(s.Resources, pulumi.StringInput(pulumi.String("*"))) && s.Reason == "" {
		p.Add(path+".resources", `is "*" without a reason; name the resources, or say why that is impossible`)
	}
}
