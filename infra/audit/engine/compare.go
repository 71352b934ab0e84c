// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"maps"
	"reflect"
	"slices"

	"spine.nhs.uk/controlplane/infra/policy"
)

// Compare says what changed from one state of a stack to the next. Either may be nil: nothing was there, or nothing is.
func Compare(before, after *Deployment) []Step {
	if before == nil {
		before = &Deployment{}
	}
	if after == nil {
		after = &Deployment{}
	}
	old := map[string]int{}
	for i, s := range before.steps {
		old[s.URN] = i
	}
	var out []Step
	for i, s := range after.steps {
		j, was := old[s.URN]
		if !was {
			s.Operation = policy.Create
			out = append(out, s)
			continue
		}
		delete(old, s.URN)
		out = append(out, change(before.steps[j], s, before.sealed[j], after.sealed[i]))
	}
	for _, j := range slices.Sorted(maps.Values(old)) {
		s := before.steps[j]
		s.Operation = policy.Delete
		s.OldInputs, s.OldOutputs, s.Inputs, s.Outputs = s.Inputs, s.Outputs, nil, nil
		s.OldProtect, s.OldRetain, s.Protect, s.RetainOnDelete = s.Protect, s.RetainOnDelete, false, false
		out = append(out, s)
	}
	return out
}

// change is what happened to a resource that is there before and after. With another ID it is another thing.
func change(was, is Step, wasSealed, isSealed map[string]string) Step {
	is.Past = true
	is.OldInputs, is.OldOutputs = was.Inputs, was.Outputs
	is.OldProtect, is.OldRetain = was.Protect, was.RetainOnDelete
	for path, seal := range isSealed {
		if old, there := wasSealed[path]; there && path != "" && old != seal {
			is.Resealed = append(is.Resealed, path)
		}
	}
	slices.Sort(is.Resealed)
	switch {
	case is.Custom && wasSealed[""] != isSealed[""]:
		is.Operation = policy.Replace
	case len(is.Resealed) > 0, is.Protect != was.Protect, is.RetainOnDelete != was.RetainOnDelete,
		!reflect.DeepEqual(was.Inputs, is.Inputs), !reflect.DeepEqual(was.Outputs, is.Outputs):
		is.Operation = policy.Update
	}
	return is
}
