// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"slices"
	"strconv"
	"strings"
)

// StoppedSuppliers are those that an operation has stopped, by the service's annotations,
// sorted. What is no name of a supplier stands for none.
func StoppedSuppliers(annotations map[string]string) []string {
	var out []string
	for name := range strings.SplitSeq(annotations[StoppedSuppliersAnnotation], ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// Database is the name of the service's Cluster: the one that an operation has made since, or the
// one that it was made with.
func Database(annotations map[string]string, first string) string {
	if name := annotations[DatabaseAnnotation]; name != "" {
		return name
	}
	return first
}

// Held says whether an operation keeps the service's programs from running.
func Held(annotations map[string]string) bool { return annotations[HeldAnnotation] != "" }

// Replicas of the service's own program: what an operation has asked for by the service's
// annotations, or what the specification says when that is more. Admission refuses an
// annotation that is no number; where it was not asked, the specification counts.
func Replicas(annotations map[string]string, specified int32) int32 {
	n, err := strconv.ParseInt(annotations[ReplicasAnnotation], 10, 32)
	if err != nil {
		return specified
	}
	return max(specified, min(int32(n), MaxReplicas))
}

// MaxReplicas of a service's own program.
const MaxReplicas = 20
