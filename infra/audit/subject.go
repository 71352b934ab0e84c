// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"spine.nhs.uk/controlplane/infra/policy"
)

// subject is what describers work on: one resource, or one Kubernetes object.
type subject struct {
	// kind is the type token, or "Kind.group" of a Kubernetes object.
	kind string
	// label is what people call it.
	label     string
	operation policy.Operation
	// old and new are its inputs, or the object; nil where there is none.
	old, new map[string]any
	diffs    []difference
	lines    []Line
	// deleteFirst says that nothing is there for a while when it is replaced.
	deleteFirst bool
	// past says that it has happened, in an order that nobody wrote down.
	past bool
	// found says that the new state is what was found, not what is planned.
	found bool
	// kept says that a deletion leaves the thing itself where it is.
	kept bool
}

// say adds a line.
func (s *subject) say(class Class, level Level, format string, args ...any) {
	s.sayOf(s.label, class, level, format, args...)
}

func (s *subject) sayOf(label string, class Class, level Level, format string, args ...any) {
	line := Line{Class: class, Level: level, Subject: label, Words: fmt.Sprintf(format, args...)}
	for _, l := range s.lines {
		if l == line {
			return
		}
	}
	s.lines = append(s.lines, line)
}

// at returns the differences at or below a path of which nothing is said yet. A "*" stands for any one step.
func (s *subject) at(pattern ...any) []*difference {
	var out []*difference
	for i := range s.diffs {
		if d := &s.diffs[i]; !d.told && below(d.path, pattern) {
			out = append(out, d)
		}
	}
	return out
}

// take is at, and marks them as told.
func (s *subject) take(pattern ...any) []*difference {
	out := s.at(pattern...)
	for _, d := range out {
		d.told = true
	}
	return out
}

func below(path resource.PropertyPath, pattern []any) bool {
	if len(path) < len(pattern) {
		return false
	}
	for i, step := range pattern {
		if step != "*" && path[i] != step {
			return false
		}
	}
	return true
}

func (s *subject) was(path ...any) policy.Node { return node(s.old).At(path...) }
func (s *subject) is(path ...any) policy.Node  { return node(s.new).At(path...) }

func node(m map[string]any) policy.Node {
	if m == nil {
		return policy.Node{}
	}
	return policy.Node{Value: m}
}

// tell marks differences of which something is said elsewhere.
func (s *subject) tell(which func(d *difference) bool) {
	for _, d := range s.at() {
		if which(d) {
			d.told = true
		}
	}
}

// goes says that the thing is taken away, for good or for another.
func (s *subject) goes() bool {
	return (s.operation == policy.Delete || s.operation == policy.Replace) && !s.kept
}

// kinds are what people call types of resources, by token.
var kinds = map[string]string{
	"spine:baremetal:Host":                                      "host",
	"spine:baremetal:Cluster":                                   "Kubernetes cluster",
	"spine:kubernetes:Manifests":                                "object set",
	"pulumi:pulumi:Stack":                                       "outputs of",
	"aws:rds/cluster:Cluster":                                   "Aurora cluster",
	"aws:rds/clusterInstance:ClusterInstance":                   "Aurora instance",
	"aws:rds/instance:Instance":                                 "RDS instance",
	"aws:ec2/instance:Instance":                                 "EC2 instance",
	"aws:ec2/subnet:Subnet":                                     "subnet",
	"aws:ec2/vpc:Vpc":                                           "VPC",
	"aws:iam/rolePolicy:RolePolicy":                             "IAM role policy",
	"aws:s3/bucket:Bucket":                                      "S3 bucket",
	"aws:s3/bucketV2:BucketV2":                                  "S3 bucket",
	"aws:s3/bucketVersioningV2:BucketVersioningV2":              "versions of S3 bucket",
	"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":    "public access to S3 bucket",
	"aws:s3/bucketPolicy:BucketPolicy":                          "policy of S3 bucket",
	"aws:ec2/securityGroup:SecurityGroup":                       "security group",
	"aws:ec2/securityGroupRule:SecurityGroupRule":               "security group rule",
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "security group rule",
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule":   "security group rule",
	"aws:eks/cluster:Cluster":                                   "EKS cluster",
	"aws:eks/nodeGroup:NodeGroup":                               "EKS node group",
	"aws:mq/broker:Broker":                                      "Amazon MQ broker",
	"aws:iam/role:Role":                                         "IAM role",
	"aws:iam/policy:Policy":                                     "IAM policy",
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment":         "IAM policy attachment",
	"aws:kms/key:Key":                                           "KMS key",
	"aws:cloudtrail/trail:Trail":                                "audit trail",
	"aws:lb/loadBalancer:LoadBalancer":                          "load balancer",
	"aws:ec2/natGateway:NatGateway":                             "NAT gateway",
	"aws:backup/vault:Vault":                                    "backup vault",
	"aws:backup/plan:Plan":                                      "backup plan",
}

// labelOf names a resource: what it is, and by the name that it has outside the engine.
func labelOf(r policy.Resource) string {
	kind, known := kinds[r.Type]
	if !known {
		parts := strings.Split(r.Type, ":")
		kind = parts[len(parts)-1]
		if module, _, _ := strings.Cut(parts[len(parts)/2], "/"); len(parts) == 3 && module != "" && parts[0] != "spine" && parts[0] != "pulumi" {
			kind = module + " " + kind
		}
		if len(parts) == 3 && parts[1] == "providers" {
			kind = "provider"
		}
	}
	for _, inputs := range []map[string]any{r.Inputs, r.OldInputs} {
		for _, key := range []string{"identifier", "clusterIdentifier", "bucket", "brokerName", "nodeGroupName", "clusterName", "name"} {
			if name, ok := inputs[key].(string); ok && name != "" && len(name) <= 80 {
				return kind + " " + name
			}
		}
	}
	return kind + " " + r.Name
}

// objectKind is "Kind.group" of an object's key: apiVersion/kind/namespace/name, or without the namespace.
func objectKind(key string) (kind, label string) {
	parts := strings.Split(key, "/")
	group := ""
	if len(parts) > 0 && strings.Contains(parts[0], ".") || len(parts) > 1 && isVersion(parts[1]) {
		group, parts = parts[0], parts[1:]
	}
	if len(parts) < 3 {
		return "", key
	}
	kind = parts[1]
	label = kind + " " + strings.Join(parts[2:], "/")
	if group != "" {
		kind += "." + group
	}
	return kind, label
}

func isVersion(s string) bool {
	return len(s) > 1 && s[0] == 'v' && s[1] >= '0' && s[1] <= '9'
}
