// SPDX-License-Identifier: Apache-2.0

package database

import (
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// ScheduleGVK of a ScheduledBackup.
var ScheduleGVK = schema.GroupVersionKind{Group: "postgresql.cnpg.io", Version: "v1", Kind: "ScheduledBackup"}

// Keys of the Secret of an object store.
const (
	accessKey = "access-key"
	secretKey = "secret-key"
	storeCA   = "ca.crt"
)

const (
	// nightly is when a copy is made, UTC, with seconds first: when bookings and messages are fewest.
	nightly = "0 0 2 * * *"
	// archiveTimeout bounds what is in no archive yet while little is written; while much is, a
	// segment is full sooner.
	archiveTimeout = "60s"
)

// archive has a Cluster keep its log and its copies in the object store, or not keep any.
func (a Args) archive(u *unstructured.Unstructured) {
	if a.Spec.Backup == nil {
		keepNothing(u)
		return
	}
	if a.Pair != nil && a.Pair.follows() {
		// A Cluster that follows is made anew by a copy of the other site's (ResyncStandby): it goes on
		// with that one's log, on a later timeline than any that this site has archived.
		u.SetAnnotations(map[string]string{"cnpg.io/skipEmptyWalArchiveCheck": "enabled"})
	}
	spec := u.Object["spec"].(map[string]any)
	spec["backup"] = map[string]any{
		"barmanObjectStore": store(*a.Spec.Backup, a.Namespace, a.Name),
		"retentionPolicy":   fmt.Sprintf("%dd", a.Spec.Backup.RetentionDays),
		"target":            "prefer-standby",
	}
}

// keepNothing has a Cluster without an object store start no process for each segment.
func keepNothing(u *unstructured.Unstructured) {
	u.SetAnnotations(map[string]string{"cnpg.io/skipWalArchiving": "enabled"})
}

// KeepLater has a desired Cluster archive nothing yet while the live one, which does not either, is not
// all of the image that is asked for: a member whose image has not got what archives could not even
// step down, as it has to archive first. It says whether there is something to copy every night.
func KeepLater(desired, live *unstructured.Unstructured) bool {
	spec := desired.Object["spec"].(map[string]any)
	if _, asked := spec["backup"]; !asked || live == nil {
		return false
	}
	if _, kept, _ := unstructured.NestedMap(live.Object, "spec", "backup"); kept {
		return true
	}
	runs, _, _ := unstructured.NestedString(live.Object, "status", "image")
	if runs != spec["imageName"] || !Observe(live).Settled {
		delete(spec, "backup")
		keepNothing(desired)
	}
	return false
}

// store is how CloudNativePG reaches the copies and the log of the named Cluster.
func store(b common.DatabaseBackup, namespace, cluster string) map[string]any {
	key := func(k string) map[string]any { return map[string]any{"name": b.Secret.Name, "key": k} }
	return map[string]any{
		"destinationPath": fmt.Sprintf("s3://%s/%s", b.Bucket, namespace),
		"serverName":      cluster,
		"endpointURL":     b.Endpoint,
		"endpointCA":      key(storeCA),
		"s3Credentials":   map[string]any{"accessKeyId": key(accessKey), "secretAccessKey": key(secretKey)},
		// A segment that is closed for its age is mostly empty. This way costs least of the processor, of which
		// the database needs all; a nightly copy takes none for that, and Barman knows no cheap one for it.
		"wal":  map[string]any{"compression": "lz4"},
		"data": map[string]any{"jobs": int64(1)},
	}
}

// Schedule has CloudNativePG copy a Cluster to the object store at once and every night.
func Schedule(a Args) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{
			"schedule":             nightly,
			"immediate":            true,
			"backupOwnerReference": "self",
			"cluster":              map[string]any{"name": a.Name},
			"method":               "barmanObjectStore",
		},
	}}
	u.SetGroupVersionKind(ScheduleGVK)
	u.SetName(a.Name)
	u.SetNamespace(a.Namespace)
	u.SetLabels(maps.Clone(a.Labels))
	return u
}

// Backup is what CloudNativePG says of a Cluster's copies and log in the object store.
type Backup struct {
	// Known is false before it has said anything.
	Known bool
	// Failing says that the log, or the last copy, did not get there; Detail says why.
	Failing bool
	Detail  string
	// First is the earliest state that can be had back, RFC 3339; empty while there is no copy.
	First string
}

// ObserveBackup reads it; nil is no Cluster.
func ObserveBackup(u *unstructured.Unstructured) Backup {
	if u == nil {
		return Backup{}
	}
	var b Backup
	b.First, _, _ = unstructured.NestedString(u.Object, "status", "firstRecoverabilityPoint")
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		kind, _ := condition["type"].(string)
		if kind != "ContinuousArchiving" && kind != "LastBackupSucceeded" {
			continue
		}
		b.Known = true
		// A backup that has begun says "False" too, until it has ended.
		if condition["status"] == "False" && condition["reason"] != "BackupStarted" && !b.Failing {
			b.Failing = true
			b.Detail, _ = condition["message"].(string)
		}
	}
	return b
}
