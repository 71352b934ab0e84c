// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"spine.nhs.uk/controlplane/hack/awsdouble/table"
)

// diff says how the inputs of a resource change, property by property, and which of the changes need another resource.
func diff(typ *table.Type, old, next resource.PropertyMap) *pulumirpc.DiffResponse {
	answer := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE, HasDetailedDiff: true, DetailedDiff: map[string]*pulumirpc.PropertyDiff{}}
	changes := plugin.NewDetailedDiffFromObjectDiff(old.Diff(next), true)
	for path, change := range changes {
		kind := change.Kind
		if replaces(typ, path) {
			kind = kind.AsReplace()
			answer.Replaces = append(answer.Replaces, path)
		}
		answer.DetailedDiff[path] = &pulumirpc.PropertyDiff{Kind: pulumirpc.PropertyDiff_Kind(kind), InputDiff: true}
		answer.Diffs = append(answer.Diffs, path)
		answer.Changes = pulumirpc.DiffResponse_DIFF_SOME
	}
	slices.Sort(answer.Replaces)
	slices.Sort(answer.Diffs)
	return answer
}

// replaces says whether a change at the path needs another resource. A whole object that comes or goes does when one of
// its parts would.
func replaces(typ *table.Type, path string) bool {
	plain := withoutIndexes(path)
	return slices.ContainsFunc(typ.Replaces, func(r string) bool {
		return plain == r || strings.HasPrefix(plain, r+".") || strings.HasPrefix(r, plain+".")
	})
}

// withoutIndexes is a path as the table writes it: "users[0].name" is "users.name" there.
func withoutIndexes(path string) string {
	parsed, err := resource.ParsePropertyPath(path)
	if err != nil {
		return path
	}
	var names []string
	for _, step := range parsed {
		if name, ok := step.(string); ok {
			names = append(names, name)
		}
	}
	return strings.Join(names, ".")
}
