// SPDX-License-Identifier: Apache-2.0

package aws

import (
	"slices"

	"spine.nhs.uk/controlplane/infra/policy"
)

const encryption = "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"

// algorithm is where the configuration of a bucket's encryption has it.
var algorithm = []any{"rules", 0, "applyServerSideEncryptionByDefault", "sseAlgorithm"}

var (
	ownKey     = policy.OneOf([]string{"aws:kms", "aws:kms:dsse"}, algorithm...)
	amazonsKey = policy.OneOf([]string{"aws:kms", "aws:kms:dsse", "AES256"}, algorithm...)
	configured = companions(buckets, encryption, "bucket", "the bucket has no BucketServerSideEncryptionConfigurationV2")
)

// bucketsEncrypted asks for a key of ours, but of buckets that take a load balancer's
// access logs: "the only server-side encryption option that's supported is Amazon
// S3-managed keys" (User Guide for Application Load Balancers, access logs).
func bucketsEncrypted(s policy.Stack) []policy.Finding {
	found := configured(s)
	logs := map[string]bool{}
	for _, r := range s.Resources {
		if r.Type == balancer && !r.Goes() && r.Input("loadBalancerType").Text() != "network" {
			for _, name := range bucketsAt(s, r, "accessLogs", "bucket") {
				logs[name] = true
			}
		}
	}
	for _, r := range s.Resources {
		if r.Type != encryption || r.Goes() {
			continue
		}
		demand := ownKey
		if slices.ContainsFunc(bucketsAt(s, r, "bucket"), func(name string) bool { return logs[name] }) {
			demand = amazonsKey
		}
		for _, f := range policy.Unmet(r.Input(), demand) {
			f.URN = r.URN
			found = append(found, f)
		}
	}
	return found
}

// bucketsAt are the bucket that stands at a property, by its name; where that is not
// known yet, by the URNs of the buckets that the resource depends on.
func bucketsAt(s policy.Stack, r policy.Resource, path ...any) []string {
	at := r.Input(path...)
	if text := at.Text(); text != "" {
		return []string{text}
	}
	var out []string
	for _, b := range s.Resources {
		if at.Hidden() && slices.Contains(buckets, b.Type) && slices.Contains(r.Dependencies, b.URN) {
			out = append(out, b.URN)
		}
	}
	return out
}
