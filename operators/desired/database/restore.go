// SPDX-License-Identifier: Apache-2.0

package database

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Restore is the state that a Cluster is made with.
type Restore struct {
	// From is the Cluster in the same namespace whose archive it comes from.
	From string
	// To is the time: the last commit before it is the last one that is there.
	To time.Time
}

// origin is the archive's name within the Cluster.
const origin = "origin"

func (r *Restore) bootstrap(a Args) map[string]any {
	return map[string]any{"recovery": map[string]any{
		"source":         origin,
		"database":       a.Database,
		"owner":          a.Owner,
		"recoveryTarget": map[string]any{"targetTime": r.To.UTC().Format(time.RFC3339Nano)},
	}}
}

func (r *Restore) join(u *unstructured.Unstructured, a Args) {
	spec := u.Object["spec"].(map[string]any)
	spec["externalClusters"] = []any{map[string]any{"name": origin, "barmanObjectStore": store(*a.Spec.Backup, a.Namespace, r.From)}}
}

// KeepOrigin has a desired Cluster say what the live one says of how it was made: the specification
// knows nothing of a restore, and CloudNativePG takes one way only.
func KeepOrigin(desired, live *unstructured.Unstructured) {
	if live == nil {
		return
	}
	made, _, _ := unstructured.NestedMap(live.Object, "spec", "bootstrap")
	if _, restored := made["recovery"]; !restored {
		return
	}
	spec := desired.Object["spec"].(map[string]any)
	spec["bootstrap"] = made
	if from, found, _ := unstructured.NestedSlice(live.Object, "spec", "externalClusters"); found {
		spec["externalClusters"] = from
	}
}
