// SPDX-License-Identifier: Apache-2.0

package estate

import (
	"slices"

	"spine.nhs.uk/controlplane/infra/policy"
)

// stateful types hold what cannot be made again: data, keys to it, and evidence.
var stateful = []string{
	"aws:backup/vault:Vault",
	"aws:cloudtrail/trail:Trail",
	"aws:docdb/cluster:Cluster",
	"aws:dynamodb/table:Table",
	"aws:ebs/volume:Volume",
	"aws:efs/fileSystem:FileSystem",
	"aws:eks/cluster:Cluster",
	"aws:kms/key:Key",
	"aws:mq/broker:Broker",
	"aws:rds/cluster:Cluster",
	"aws:rds/instance:Instance",
	"aws:s3/bucket:Bucket",
	"aws:s3/bucketV2:BucketV2",
	"spine:baremetal:Cluster",
	"spine:baremetal:Host",
}

func protected(r policy.Resource, in policy.Environment) []policy.Finding {
	if !in.Live() || r.Protect || r.RetainOnDelete {
		return nil
	}
	return []policy.Finding{{Message: "the resource holds data of a live environment and is not protected"}}
}

func discarded(s policy.Stack) []policy.Finding {
	if !s.Live() {
		return nil
	}
	var found []policy.Finding
	for _, r := range s.Resources {
		if !slices.Contains(stateful, r.Type) || r.RetainOnDelete {
			continue
		}
		switch r.Operation {
		case policy.Delete:
			found = append(found, policy.Finding{URN: r.URN, Message: "the update deletes what holds data"})
		case policy.Replace:
			found = append(found, policy.Finding{URN: r.URN, Message: "the update replaces what holds data by an empty one"})
		}
	}
	return found
}
