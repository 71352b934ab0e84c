// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"spine.nhs.uk/controlplane/infra/audit/engine"
	"spine.nhs.uk/controlplane/infra/policy"
)

// difference is one value that differs.
type difference struct {
	path     resource.PropertyPath
	old, new any // nil where there is none
	replaces bool
	// resealed says that a secret was written anew; whether it is another cannot be told.
	resealed bool
	told     bool // a line says what it means
}

// noises count differences that mean nothing, by why.
type noises map[string]int

// Why a difference means nothing.
const (
	onlyOrder   = "the order of a set"
	onlyForm    = "the form of a document"
	onlyKnown   = "values that are computed while it is applied"
	bookkeeping = "the engine's own bookkeeping"
)

// differing is what differs in a step. Old and new are its two sides with secrets taken out.
type sides struct{ oldInputs, oldOutputs, inputs, outputs map[string]any }

func differing(s engine.Step, v sides, noise noises) []difference {
	var out []difference
	switch {
	case s.Read:
		out = compare(nil, v.oldOutputs, v.outputs, noise)
	case len(s.Diff) > 0:
		for _, path := range slices.Sorted(maps.Keys(s.Diff)) {
			out = append(out, reported(path, s.Diff[path], v, noise)...)
		}
	default:
		out = compare(nil, v.oldInputs, v.inputs, noise)
		if len(out) == 0 && len(s.Keys) == 0 {
			out = compare(nil, v.oldOutputs, v.outputs, noise)
		}
	}
	for _, key := range s.Keys {
		at, err := resource.ParsePropertyPath(key)
		if err != nil || slices.ContainsFunc(out, func(d difference) bool { return d.replaces && (below(d.path, at) || below(at, d.path)) }) {
			continue
		}
		out = append(out, difference{path: at, old: firstOf(at, v.oldInputs), new: firstOf(at, v.inputs), replaces: true})
	}
	for _, path := range s.Resealed {
		if p, err := resource.ParsePropertyPath(path); err == nil {
			out = append(out, difference{path: p, old: policy.Secret{}, new: policy.Secret{}, resealed: true})
		}
	}
	slices.SortStableFunc(out, func(a, b difference) int { return cmp.Compare(a.path.String(), b.path.String()) })
	return slices.CompactFunc(out, func(a, b difference) bool {
		return a.path.String() == b.path.String() && reflect.DeepEqual(a.old, b.old) && reflect.DeepEqual(a.new, b.new)
	})
}

// reported is what the provider says differs at a path, leaf by leaf.
func reported(path string, kind engine.Kind, v sides, noise noises) []difference {
	at, err := resource.ParsePropertyPath(path)
	if err != nil {
		return []difference{{path: resource.PropertyPath{path}, replaces: kind.Replaces}}
	}
	was := firstOf(at, v.oldOutputs, v.oldInputs)
	if kind.Input {
		was = firstOf(at, v.oldInputs, v.oldOutputs)
	}
	is := firstOf(at, v.inputs, v.outputs)
	switch kind.Change {
	case "add":
		was = nil
	case "delete":
		is = nil
	}
	if secret(was) && secret(is) {
		return []difference{{path: at, old: was, new: is, replaces: kind.Replaces}}
	}
	out := compare(at, was, is, noise)
	for i := range out {
		out[i].replaces = kind.Replaces
	}
	if len(out) == 0 && kind.Replaces {
		out = []difference{{path: at, old: was, new: is, replaces: true}}
	}
	return out
}

func secret(v any) bool {
	switch v.(type) {
	case policy.Secret, hidden:
		return true
	}
	return false
}

func firstOf(at resource.PropertyPath, in ...map[string]any) any {
	for _, m := range in {
		if v := (policy.Node{Value: m}).At(at...).Value; v != nil {
			return v
		}
	}
	return nil
}

// compare finds the leaves that differ.
func compare(at resource.PropertyPath, was, is any, noise noises) []difference {
	if is, ok := is.(policy.Unknown); ok {
		if was == nil {
			return []difference{{path: at, new: is}}
		}
		noise[onlyKnown]++
		return nil
	}
	switch w := was.(type) {
	case map[string]any:
		if i, ok := is.(map[string]any); ok {
			return compareMaps(at, w, i, noise)
		}
	case []any:
		if i, ok := is.([]any); ok {
			return compareLists(at, w, i, noise)
		}
	case document:
		if i, ok := is.(document); ok {
			return compare(at, w.value, i.value, noise)
		}
	}
	switch {
	case reflect.DeepEqual(was, is), empty(was) && empty(is):
		return nil
	case sameForm(was, is):
		noise[onlyForm]++
		return nil
	}
	return []difference{{path: at, old: was, new: is}}
}

// empty values are as good as none.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// sameForm says that a number or truth value is written as a text on one side.
func sameForm(a, b any) bool {
	_, at := a.(string)
	_, bt := b.(string)
	return at != bt && a != nil && b != nil && scalar(a) && scalar(b) && fmt.Sprint(a) == fmt.Sprint(b)
}

func scalar(v any) bool {
	switch v.(type) {
	case string, float64, bool:
		return true
	}
	return false
}

func compareMaps(at resource.PropertyPath, was, is map[string]any, noise noises) []difference {
	var out []difference
	for _, key := range slices.Sorted(maps.Keys(union(was, is))) {
		if bookkept(key) {
			if !reflect.DeepEqual(was[key], is[key]) {
				noise[bookkeeping]++
			}
			continue
		}
		out = append(out, compare(child(at, key), was[key], is[key], noise)...)
	}
	return out
}

func union(a, b map[string]any) map[string]bool {
	out := map[string]bool{}
	for k := range a {
		out[k] = true
	}
	for k := range b {
		out[k] = true
	}
	return out
}

// bookkept are properties that the engine and its libraries keep for themselves.
func bookkept(key string) bool {
	return key == "__internal" || key == "__defaults" || key == "__pulumi-go-provider-version" || key == "__pulumi_raw_state_delta"
}

// compareLists pairs items by their name where they have one, so that one that is added shifts no other.
func compareLists(at resource.PropertyPath, was, is []any, noise noises) []difference {
	if sameSet(at, was, is) {
		if !reflect.DeepEqual(was, is) {
			noise[onlyOrder]++
		}
		return nil
	}
	if a, b, ok := byName(was, is); ok {
		return compareMaps(at, a, b, noise)
	}
	if isSet(at) {
		// Which items come and go says more than which moved up.
		var out []difference
		for i, item := range was {
			if !contains(is, item) {
				out = append(out, difference{path: child(at, i), old: item})
			}
		}
		for i, item := range is {
			if !contains(was, item) {
				out = append(out, difference{path: child(at, i), new: item})
			}
		}
		return out
	}
	var out []difference
	for i := range max(len(was), len(is)) {
		out = append(out, compare(child(at, i), item(was, i), item(is, i), noise)...)
	}
	return out
}

func contains(list []any, v any) bool {
	return slices.ContainsFunc(list, func(x any) bool { return reflect.DeepEqual(x, v) })
}

func item(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// byName turns lists of maps with unique names into maps.
func byName(lists ...[]any) (a, b map[string]any, ok bool) {
	var out [2]map[string]any
	for i, list := range lists {
		out[i] = map[string]any{}
		for _, v := range list {
			m, _ := v.(map[string]any)
			name, _ := m["name"].(string)
			if _, twice := out[i][name]; name == "" || twice {
				return nil, nil, false
			}
			out[i][name] = v
		}
	}
	return out[0], out[1], true
}

// sets are lists whose order means nothing, by the names of their properties. Other lists are compared in order: the
// order of a command's arguments means something.
var sets = regexp.MustCompile(`(?i)(ids|arns|cidrs|cidrBlocks|zones|subnets|securityGroups|verbs|resources|apiGroups|resourceNames|nonResourceURLs|finalizers|packages|kernelModules|accessModes|policyTypes|shortNames|categories|dnsNames|usages|logTypes|cloudwatchLogsExports|subjects|tagKeys)$`)

func isSet(at resource.PropertyPath) bool {
	if len(at) == 0 {
		return false
	}
	name, _ := at[len(at)-1].(string)
	return sets.MatchString(name)
}

func sameSet(at resource.PropertyPath, was, is []any) bool {
	if len(was) != len(is) {
		return false
	}
	if reflect.DeepEqual(was, is) {
		return true
	}
	return isSet(at) && slices.Equal(sorted(was), sorted(is))
}

func sorted(list []any) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = show(v)
	}
	slices.Sort(out)
	return out
}

func child(at resource.PropertyPath, step any) resource.PropertyPath {
	return append(at[:len(at):len(at)], step)
}

// show is how a value is written; "" when there is none.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool, policy.Secret, policy.Unknown, hidden, masked:
		return fmt.Sprint(v)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "a value that cannot be shown"
	}
	return string(text)
}
