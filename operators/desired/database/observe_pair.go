// SPDX-License-Identifier: Apache-2.0

package database

import (
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// tokenAnnotation of a Cluster that was told to follow the other site is the demotion token
// that it had before: as long as it has the same, it has not stepped down yet. A Cluster that
// was made as a follower has none.
const (
	tokenAnnotation = "spine.nhs.uk/token-before"
	noToken         = "none"
)

// Remember has the desired Cluster carry what tells later that it has stepped down. Live is
// the Cluster as it is, or nil.
func Remember(desired, live *unstructured.Unstructured) {
	if live == nil || !Follower(desired) {
		return
	}
	before, said := live.GetAnnotations()[tokenAnnotation]
	if !Follower(live) {
		before, said = DemotionToken(live), true
		if before == "" {
			before = noToken
		}
	}
	if said {
		annotations := desired.GetAnnotations()
		annotations[tokenAnnotation] = before
		desired.SetAnnotations(annotations)
	}
}

// Obeys says whether the live Cluster is asked for as the desired one is, in what concerns
// two sites: which of them is written to, by which token, and who has to have a commit.
func Obeys(desired, live *unstructured.Unstructured) bool {
	for _, path := range [][]string{
		{"spec", "replica", "primary"}, {"spec", "replica", "promotionToken"},
		{"spec", "postgresql", "synchronous", "number"}, {"spec", "postgresql", "synchronous", "standbyNamesPre"},
		{"spec", "postgresql", "synchronous", "maxStandbyNamesFromCluster"},
	} {
		want, _, _ := unstructured.NestedFieldNoCopy(desired.Object, path...)
		is, _, _ := unstructured.NestedFieldNoCopy(live.Object, path...)
		if !equality.Semantic.DeepEqual(want, is) {
			return false
		}
	}
	return true
}

// Follows says whether the Cluster has stepped down, or was made as a follower, and is whole.
func Follows(live *unstructured.Unstructured) bool {
	if !Follower(live) || switching(live) {
		return false
	}
	before, told := live.GetAnnotations()[tokenAnnotation]
	return !told || DemotionToken(live) != "" && DemotionToken(live) != before
}

// Writable says whether the Cluster's own site is written to, and it has got so far.
func Writable(live *unstructured.Unstructured) bool {
	token, _, _ := unstructured.NestedString(live.Object, "spec", "replica", "promotionToken")
	last, _, _ := unstructured.NestedString(live.Object, "status", "lastPromotionToken")
	return !Follower(live) && !switching(live) && (token == "" || token == last) && Observe(live).Available
}

// DemotionToken is what the Cluster left when it last stepped down; empty if it never did.
func DemotionToken(live *unstructured.Unstructured) string {
	token, _, _ := unstructured.NestedString(live.Object, "status", "demotionToken")
	return token
}

// Follower says that the Cluster is asked to follow the other site.
func Follower(u *unstructured.Unstructured) bool {
	self, _, _ := unstructured.NestedString(u.Object, "spec", "replica", "self")
	primary, _, _ := unstructured.NestedString(u.Object, "spec", "replica", "primary")
	return self != primary
}

func switching(live *unstructured.Unstructured) bool {
	is, _, _ := unstructured.NestedBool(live.Object, "status", "switchReplicaClusterStatus", "inProgress")
	return is
}
