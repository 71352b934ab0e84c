// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"gotest.tools/v3/golden"

	"spine.nhs.uk/controlplane/infra/aws/awstest"
	"spine.nhs.uk/controlplane/infra/aws/document"
	"spine.nhs.uk/controlplane/infra/naming"
)

const testAccount = "111122223333"

func testArgs(types ...string) *Args {
	return &Args{
		Names: naming.New("ers-test"), Environment: "ers-test", Account: testAccount, Types: types,
		Deployers:   []string{"arn:aws:iam::" + testAccount + ":role/pipeline"},
		StateBucket: "spine-state", StateKeyArn: "arn:aws:kms:eu-west-2:" + testAccount + ":key/0a1b",
		Elsewhere: []string{"arn:aws:iam::444455556666:role/ers-test-away"},
	}
}

// TestPolicy shows the rights that a few types take, as a person would review them.
func TestPolicy(t *testing.T) {
	documents, err := testArgs("aws:iam/role:Role", "aws:ec2/vpc:Vpc", "aws:rds/cluster:Cluster", "aws:s3/bucketV2:BucketV2").Policies()
	if err != nil {
		t.Fatal(err)
	}
	golden.Assert(t, pretty(t, documents), "deploy.json")
}

func TestGuardAndBoundary(t *testing.T) {
	a := testArgs()
	golden.Assert(t, pretty(t, []string{a.guard(), a.boundary()}), "guard.json")
}

func pretty(t *testing.T, documents []string) string {
	t.Helper()
	var parsed []any
	for _, d := range documents {
		var document any
		if err := json.Unmarshal([]byte(d), &document); err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, document)
	}
	text, err := json.MarshalIndent(parsed, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

// TestActions holds the tables to whole names of actions, and to resources of the
// account wherever something is changed.
func TestActions(t *testing.T) {
	read := regexp.MustCompile(`:(Describe|List|Get|View|BatchGet)`)
	// AWS knows no resources for these (Service Authorization Reference).
	unlimited := []string{
		"acm:RequestCertificate", "backup-storage:MountCapsule", "guardduty:CreateDetector", "kms:CreateKey", "mq:CreateBroker",
		"route53:CreateHealthCheck", "route53:CreateHostedZone",
	}
	service := map[string]bool{"config": true, "securityhub": true, "logs": true, "iam": true, "ce": true, "ec2": true}
	for typ, grants := range actions {
		if !regexp.MustCompile(`^aws:[a-z0-9]+/[A-Za-z0-9]+:[A-Za-z0-9]+$`).MatchString(typ) {
			t.Errorf("%q is no type token", typ)
		}
		for _, g := range grants {
			for _, name := range g.actions {
				if !action.MatchString(name) {
					t.Errorf("%s: %q is no whole action", typ, name)
				}
				if g.resource == anything && !read.MatchString(name) && !slices.Contains(unlimited, name) && !wholeAccount(typ, name, service) {
					t.Errorf("%s: %s may change anything", typ, name)
				}
			}
			if g.resource != anything && !strings.HasPrefix(g.resource, "arn:aws:") {
				t.Errorf("%s: %q is no ARN", typ, g.resource)
			}
		}
	}
}

// wholeAccount is for settings that an account and region has one of.
func wholeAccount(typ, name string, services map[string]bool) bool {
	one := []string{"aws:cfg/", "aws:securityhub/", "aws:ebs/", "aws:iam/accountPasswordPolicy", "aws:costexplorer/costAllocationTag"}
	service, _, _ := strings.Cut(name, ":")
	if service == "logs" {
		return strings.HasSuffix(name, "LogDelivery") || strings.HasSuffix(name, "ResourcePolicy")
	}
	return services[service] && slices.ContainsFunc(one, func(p string) bool { return strings.HasPrefix(typ, p) })
}

// TestEverythingFits asks for the rights of all known types at once, under the longest
// name that an environment can have.
func TestEverythingFits(t *testing.T) {
	a := testArgs(Known()...)
	a.Environment = strings.Repeat("x", 20)
	documents, err := a.Policies()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range documents {
		if len(d) > longestPolicy {
			t.Errorf("a policy has %d characters", len(d))
		}
	}
	t.Logf("%d policies for %d types", len(documents), len(a.Types))
}

func TestPoliciesAreStable(t *testing.T) {
	types := Known()
	first, _ := testArgs(types...).Policies()
	slices.Reverse(types)
	second, _ := testArgs(types...).Policies()
	if !slices.Equal(first, second) {
		t.Error("the order of types changes the policies")
	}
}

// TestBound holds that roles made by any component have the boundary.
func TestBound(t *testing.T) {
	p, err := awstest.Run(t, nil, func(ctx *pulumi.Context) error {
		i, err := New(ctx, "ers-test", testArgs("aws:ec2/vpc:Vpc"))
		if err != nil {
			return err
		}
		if err := i.Bound(ctx); err != nil {
			return err
		}
		_, err = iam.NewRole(ctx, "other", &iam.RoleArgs{AssumeRolePolicy: pulumi.String("{}")})
		if err != nil {
			return err
		}
		_, err = NewPods(ctx, "pods", pods())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"other", "ers-test-pod-manager"} {
		if r := p.One(t, "aws:iam/role:Role", name); r.Inputs["permissionsBoundary"] != "arn:aws:iam/policy:Policy:ers-test-boundary" {
			t.Errorf("role %s has the boundary %v", name, r.Inputs["permissionsBoundary"])
		}
	}
	if r := p.One(t, "aws:iam/rolePolicy:RolePolicy", "ers-test-pod-manager"); !strings.Contains(fmt.Sprint(r.Inputs["policy"]), `"Resource":["arn:zone"],"Condition":{"ForAllValues:StringEquals":{"route53:ChangeResourceRecordSetsRecordTypes":["A"]}}`) {
		t.Errorf("the pods' rights are %v", r.Inputs["policy"])
	}
	p.One(t, "aws:eks/podIdentityAssociation:PodIdentityAssociation", "ers-test-pod-manager")
	if n := len(p.Of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")); n < 2 {
		t.Errorf("the deployment role has %d policies: its guard and its rights are two", n)
	}
}

func pods() *PodsArgs {
	return &PodsArgs{
		Names: naming.New("ers-test"), ClusterName: pulumi.String("ers-test"), Account: testAccount,
		Pods: []Pod{{Name: "manager", Namespace: "spine", ServiceAccount: "manager", Statements: []Statement{{
			Actions: []string{"route53:ChangeResourceRecordSets"}, Resources: []pulumi.StringInput{pulumi.String("arn:zone")},
			Conditions: document.Conditions{"ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": {"A"}}},
		}}}},
	}
}

func TestValidate(t *testing.T) {
	bad := &Args{
		Account: "x", Types: []string{"aws:made/up:Up"}, Deployers: []string{"arn:aws:iam::444455556666:role/x"},
		StateBucket: "B", StateKeyArn: "arn:aws:kms:us-east-1:111122223333:key/a", Elsewhere: []string{"x"},
	}
	names(t, bad.Validate(), "environment:", "account:", "types[0]:", "deployers[0]:", "stateBucket:", "stateKeyArn:", "elsewhere[0]:")
	if err := testArgs(Known()...).Validate(); err != nil {
		t.Error(err)
	}
	badPods := &PodsArgs{Account: "x", Pods: []Pod{{Name: strings.Repeat("n", 31), Namespace: "N", ServiceAccount: "s", Statements: []Statement{
		{Actions: []string{"s3:*"}, Resources: []pulumi.StringInput{pulumi.String("*")}}, {},
	}}}}
	names(t, badPods.Validate(), "clusterName:", "account:", "pods[0].name:", "pods[0].namespace:",
		"pods[0].statements[0].actions[0]:", "pods[0].statements[0].resources:", "pods[0].statements[1]:")
	if err := pods().Validate(); err != nil {
		t.Error(err)
	}
}

func names(t *testing.T, err error, fields ...string) {
	t.Helper()
	for _, field := range fields {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s is not named in: %v", field, err)
		}
	}
}
