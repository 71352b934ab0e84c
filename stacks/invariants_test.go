// SPDX-License-Identifier: Apache-2.0

//go:build offline

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"spine.nhs.uk/controlplane/infra/audit/engine"
	"spine.nhs.uk/controlplane/infra/aws/identity"
	"spine.nhs.uk/controlplane/infra/cost"
	"spine.nhs.uk/controlplane/infra/policy"
	"spine.nhs.uk/controlplane/infra/policy/pack"
	"spine.nhs.uk/controlplane/infra/tags"
)

// invariant is what holds in every environment in AWS. A check names each resource that breaks it.
type invariant struct {
	name  string
	check func(s policy.Stack) []string
}

// whole are the invariants that no rule of infra/policy holds, because they are about this estate's own parts.
var whole = []invariant{
	{"every tag", everyTag},
	{"in three zones", threeZones},
	{"no public path but the edge", onlyEdge},
	{"TLS to buckets", bucketPolicies},
	{"no wildcard permission", noWildcards},
	{"the deployment's role has what it needs", deployment},
	{"everything has a price", priced},
	{"a budget tells somebody", budgeted},
}

// invariants are all that is wrong with a plan: by the rules, the advisory ones too, and by the invariants.
func invariants(p *engine.Preview) []string {
	s := policy.Stack{Environment: policy.Environment{Project: p.Project, Stack: p.Stack}, Resources: p.Resources()}
	waivers, err := policy.DecodeWaivers([]byte(p.Config["spine:environment"]))
	if err != nil {
		return []string{err.Error()}
	}
	return broken(s, waivers)
}

func broken(s policy.Stack, waivers []policy.Waiver) []string {
	out := found(pack.Rules(), s, waivers)
	for _, i := range whole {
		for _, what := range i.check(s) {
			out = append(out, i.name+": "+what)
		}
	}
	return out
}

// found is what rules have against a plan, and no waiver covers.
func found(rules []policy.Rule, s policy.Stack, waivers []policy.Waiver) []string {
	var out []string
	for _, r := range policy.Judge(rules, s, waivers, time.Now()).Results {
		if r.WaivedBy == nil {
			out = append(out, fmt.Sprintf("%s: %s %s: %s", r.Rule, r.URN, r.Property, r.Message))
		}
	}
	return out
}

// of are the resources of a type.
func of(s policy.Stack, kind string) []policy.Resource {
	return slices.DeleteFunc(slices.Clone(s.Resources), func(r policy.Resource) bool { return r.Type != kind })
}

// within says whether a resource belongs to a component.
func within(r policy.Resource, component string) bool { return strings.Contains(r.URN, component+"$") }

func everyTag(s policy.Stack) []string {
	var out []string
	for _, r := range s.Resources {
		if !strings.HasPrefix(r.Type, "aws:") {
			continue
		}
		for _, key := range []string{tags.Environment, tags.Owner, tags.ManagedBy, tags.Service, tags.Tier, tags.CostCentre, tags.DataClass} {
			if n := r.Setting("defaultTags", "tags", key); n.Missing() {
				out = append(out, r.Name+" gets no tag "+key+" from its provider")
			}
		}
	}
	return out
}

// threeZones: subnets of each purpose, machines, and members of what has members are spread.
func threeZones(s policy.Stack) []string {
	byPurpose := map[string]map[string]bool{}
	for _, r := range of(s, "aws:ec2/subnet:Subnet") {
		zone := r.Input("availabilityZone").Text()
		purpose := strings.TrimSuffix(r.Name, "-"+zone[max(0, len(zone)-1):])
		purpose = strings.TrimSuffix(purpose, "-"+zone)
		if byPurpose[purpose] == nil {
			byPurpose[purpose] = map[string]bool{}
		}
		byPurpose[purpose][zone] = true
	}
	var out []string
	if len(byPurpose) == 0 {
		out = append(out, "there is no subnet")
	}
	for _, purpose := range slices.Sorted(maps.Keys(byPurpose)) {
		if n := len(byPurpose[purpose]); n != 3 {
			out = append(out, fmt.Sprintf("subnets %s are in %d zones", purpose, n))
		}
	}
	spread := map[string][]any{
		"aws:rds/subnetGroup:SubnetGroup": {"subnetIds"}, "aws:eks/cluster:Cluster": {"vpcConfig", "subnetIds"}, "aws:mq/broker:Broker": {"subnetIds"},
		"aws:lb/loadBalancer:LoadBalancer": {"subnets"},
	}
	for _, r := range s.Resources {
		path, ok := spread[r.Type]
		if n := len(r.Input(path...).Items()); ok && n != 3 {
			out = append(out, fmt.Sprintf("%s is in %d subnets", r.Name, n))
		}
	}
	if n := len(of(s, "aws:eks/nodeGroup:NodeGroup")); n == 0 || n%3 != 0 {
		out = append(out, fmt.Sprintf("%d groups of machines are not the same number in each of three zones", n))
	}
	return out
}

const everywhere = "0.0.0.0/0"

// ports are those of the edge: 443, and 8443 where clients present certificates.
var ports = []float64{443, 8443}

// onlyEdge: what the Internet reaches belongs to the edge: balancers, open ports, and addresses.
func onlyEdge(s policy.Stack) []string {
	var out []string
	for _, r := range s.Resources {
		edge := within(r, "spine:aws:Edge")
		switch r.Type {
		case "aws:lb/loadBalancer:LoadBalancer":
			if internal := r.Input("internal"); !edge && internal.Value != true {
				out = append(out, r.Name+" is a balancer that the Internet reaches")
			}
		case "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":
			open := r.Input("cidrIpv4").Value == everywhere || r.Input("cidrIpv6").Value == "::/0"
			if port := r.Input("fromPort").Number(); open && (!edge || !slices.Contains(ports, port) || r.Input("toPort").Number() != port) {
				out = append(out, r.Name+" lets everybody in")
			}
		case "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":
			if len(r.Input("ingress").Items()) > 0 {
				out = append(out, r.Name+" has rules inside, where they are not told apart")
			}
		case "aws:ec2/subnet:Subnet":
			if r.Input("mapPublicIpOnLaunch").Value == true {
				out = append(out, r.Name+" gives machines public addresses")
			}
		case "aws:ec2/route:Route":
			if !r.Input("gatewayId").Missing() && !strings.Contains(r.Name, "edge") {
				out = append(out, r.Name+" is a way to the Internet for more than the edge")
			}
		case "aws:ec2/instance:Instance":
			out = append(out, r.Name+" is a machine outside the cluster")
		}
	}
	return out
}

// bucketPolicies: each bucket has a policy, in which what comes without TLS is refused; where it can be read already it is.
func bucketPolicies(s policy.Stack) []string {
	buckets, policies := of(s, "aws:s3/bucketV2:BucketV2"), of(s, "aws:s3/bucketPolicy:BucketPolicy")
	var out []string
	if len(buckets) != len(policies) {
		out = append(out, fmt.Sprintf("%d buckets have %d policies", len(buckets), len(policies)))
	}
	for _, r := range policies {
		if text, ok := r.Input("policy").Value.(string); ok && !strings.Contains(text, "aws:SecureTransport") {
			out = append(out, r.Name+" lets requests without TLS in")
		}
	}
	return out
}

// noWildcards: no statement that allows has an action of everything, or of everything in a service. Key policies are the
// exception that AWS asks for: a key's own account administers it ("kms:*" on the key itself, to the account's root).
func noWildcards(s policy.Stack) []string {
	var out []string
	for _, r := range s.Resources {
		for _, key := range []string{"policy", "inlinePolicy"} {
			text, ok := r.Input(key).Value.(string)
			// A boundary and the policy of an endpoint give nothing: they are what no role's own policies can go beyond.
			if !ok || r.Type == "aws:kms/key:Key" || r.Type == "aws:ec2/vpcEndpoint:VpcEndpoint" || strings.HasSuffix(r.Name, "-boundary") {
				continue
			}
			for _, action := range allowed(text) {
				if action == "*" || strings.HasSuffix(action, ":*") {
					out = append(out, fmt.Sprintf("%s allows %s", r.Name, action))
				}
			}
		}
	}
	return out
}

// forState are the actions by which the deployment's role reads and writes the stack's state, and decrypts its secrets.
var forState = []string{
	"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey",
	"s3:DeleteObject", "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:PutObject", "sts:AssumeRole",
}

// deployment: the role may do what the types in the plan take, and beside its state nothing else.
func deployment(s policy.Stack) []string {
	has, needs := map[string]bool{}, map[string]bool{}
	for _, r := range of(s, "aws:iam/policy:Policy") {
		if within(r, "spine:aws:Identity") && strings.Contains(r.Name, "-deploy") {
			for _, action := range allowed(r.Input("policy").Text()) {
				has[action] = true
			}
		}
	}
	var out []string
	for _, r := range s.Resources {
		if !strings.HasPrefix(r.Type, "aws:") {
			continue
		}
		actions := identity.Actions(r.Type)
		if len(actions) == 0 {
			out = append(out, "nobody knows what "+r.Type+" takes")
		}
		for _, action := range actions {
			needs[action] = true
			if !has[action] {
				out = append(out, fmt.Sprintf("it lacks %s, for %s", action, r.Type))
			}
		}
	}
	for action := range has {
		if !needs[action] && !slices.Contains(forState, action) {
			out = append(out, "it has "+action+", which nothing needs")
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// allowed are the actions that a policy document allows.
func allowed(text string) []string {
	var document struct {
		Statement []struct {
			Effect            string
			Action, NotAction any
		}
	}
	if json.Unmarshal([]byte(text), &document) != nil {
		return []string{"*"} // What cannot be read may allow anything.
	}
	var out []string
	for _, statement := range document.Statement {
		if statement.Effect != "Allow" {
			continue
		}
		if statement.NotAction != nil {
			out = append(out, "*") // Everything but what it names.
		}
		switch a := statement.Action.(type) {
		case string:
			out = append(out, a)
		case []any:
			for _, one := range a {
				out = append(out, fmt.Sprint(one))
			}
		}
	}
	return out
}

// priced: the price book knows what everything costs.
func priced(s policy.Stack) []string {
	book := cost.Published()
	var out []string
	for _, r := range s.Resources {
		if !strings.HasPrefix(r.Type, "aws:") {
			continue
		}
		estimate := book.Estimate(cost.Resource{Type: r.Type, Region: r.Setting("region").Text(), Lookup: func(path string) (any, bool) {
			at, err := resource.ParsePropertyPath(path)
			if err != nil {
				return nil, false
			}
			n := r.Input(at...)
			return n.Value, !n.Missing() && !n.Hidden()
		}})
		if estimate.Unknown != "" {
			out = append(out, r.Name+": "+estimate.Unknown)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func budgeted(s policy.Stack) []string {
	for _, r := range of(s, "aws:budgets/budget:Budget") {
		if len(r.Input("notifications").Items()) > 0 {
			return nil
		}
	}
	return []string{"there is no budget with somebody to tell"}
}
