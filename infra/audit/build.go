// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"spine.nhs.uk/controlplane/infra/audit/engine"
	"spine.nhs.uk/controlplane/infra/cost"
	"spine.nhs.uk/controlplane/infra/policy"
)

// Build says what steps mean. Secrets learns those in the steps, for what is written about them elsewhere.
func Build(steps []engine.Step, book *cost.Book, secrets *Secrets) *Difference {
	b := &builder{secrets: secrets, book: book, labels: map[string]string{}, dependents: map[string][]string{},
		out: &Difference{Changes: []Change{}, Noise: map[string]int{}, Cost: newSummary(book)}}
	// All values first: what one of them hides may stand in the words about another, and in its name.
	all := make([]sides, len(steps))
	for i, s := range steps {
		all[i] = sides{oldInputs: secrets.Values(s.OldInputs), oldOutputs: secrets.Values(s.OldOutputs),
			inputs: secrets.Values(s.Inputs), outputs: secrets.Values(s.Outputs)}
	}
	for _, s := range steps {
		b.labels[s.URN] = secrets.Name(labelOf(s.Resource))
		for _, on := range s.Dependencies {
			b.dependents[on] = append(b.dependents[on], s.URN)
		}
	}
	for i, s := range steps {
		b.step(s, all[i])
	}
	slices.SortStableFunc(b.out.Changes, func(x, y Change) int {
		return cmp.Or(rankOf(x.Level)-rankOf(y.Level), classRank(x.Class)-classRank(y.Class),
			cmp.Compare(x.Resource, y.Resource), cmp.Compare(x.URN, y.URN), cmp.Compare(x.Object, y.Object))
	})
	return b.out
}

func rankOf(l Level) int    { return slices.Index(Levels(), l) }
func classRank(c Class) int { return slices.Index(Classes(), c) }

type builder struct {
	secrets    *Secrets
	book       *cost.Book
	labels     map[string]string
	dependents map[string][]string
	out        *Difference
}

func (b *builder) step(s engine.Step, v sides) {
	priced := b.price(s)
	if s.Operation == policy.Same && s.Protect == s.OldProtect {
		b.out.Unchanged++
		return
	}
	if !s.Custom {
		b.group(s)
		return
	}
	if provider(s.Type) && len(compare(nil, plain(v.oldInputs), plain(v.inputs), noises{})) == 0 && s.OldInputs != nil && s.Inputs != nil {
		b.out.Noise[bookkeeping]++
		return
	}
	subject := &subject{kind: s.Type, label: b.labels[s.URN], operation: s.Operation, old: v.oldInputs, new: v.inputs,
		deleteFirst: s.DeleteFirst, found: s.Read, past: s.Past, kept: s.Operation != policy.Create && s.OldRetain}
	if s.Leftover {
		subject.label += " (old copy)"
	}
	if s.Operation == policy.Update || s.Operation == policy.Replace || s.Operation == policy.Same {
		subject.diffs = differing(s, v, b.out.Noise)
	}
	b.protection(s, subject)
	objects := b.objects(s, subject)
	describe(subject)
	b.money(subject, priced)
	if s.Type == "spine:kubernetes:Manifests" && s.Operation == policy.Update && len(subject.diffs) == 0 && objects > 0 {
		return // All that happens to it happens to its objects.
	}
	b.add(s, subject, "", priced)
}

// group counts what exists only within the engine; what is in it has lines of its own.
func (b *builder) group(s engine.Step) {
	if s.Operation != policy.Same {
		b.out.Noise["groups of resources"]++
	}
}

func provider(token string) bool { return strings.HasPrefix(token, "pulumi:providers:") }

// plain leaves out what a provider's version is: it is the engine's.
func plain(m map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		if k != "version" && k != "pluginDownloadURL" {
			out[k] = v
		}
	}
	return out
}

func (b *builder) protection(s engine.Step, subject *subject) {
	if s.OldInputs != nil && s.Inputs != nil && s.OldProtect && !s.Protect {
		subject.say(DataLoss, Medium, "the engine's protection against its deletion is taken off")
	}
}

// objects makes subjects of the objects in a set, and returns how many changed.
func (b *builder) objects(s engine.Step, set *subject) int {
	if s.Type != "spine:kubernetes:Manifests" {
		return 0
	}
	old, _ := set.old["objects"].(map[string]any)
	is, _ := set.new["objects"].(map[string]any)
	keys := union(old, is)
	for _, d := range set.at("objects", "*") {
		if key, ok := d.path[1].(string); ok {
			keys[key] = true // All objects may be hidden.
		}
	}
	changed := 0
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		before, after := set.was("objects", key).Value, set.is("objects", key).Value
		kind, label := objectKind(key)
		o := &subject{kind: kind, label: label, kept: set.kept}
		o.old, _ = before.(map[string]any)
		o.new, _ = after.(map[string]any)
		switch {
		case before == nil && after == nil:
			continue // The provider speaks of what the engine does not show.
		case before == nil:
			o.operation = policy.Create
		case after == nil:
			o.operation = policy.Delete
		default:
			o.operation = policy.Update
			o.diffs = compare(nil, before, after, b.out.Noise)
			o.diffs = append(o.diffs, secretly(set, key, o.diffs)...)
			if drifted(set, o, key); len(o.diffs) == 0 && len(o.lines) == 0 {
				continue
			}
		}
		changed++
		describe(o)
		b.add(s, o, key, nil)
	}
	set.diffs = slices.DeleteFunc(set.diffs, func(d difference) bool { return d.path[0] == "objects" && len(d.path) > 1 || d.path[0] == "drift" })
	return changed
}

// secretly are the differences in an object of which both sides are hidden: that they differ is known by the provider's
// word only.
func secretly(set *subject, key string, seen []difference) []difference {
	var out []difference
	for _, d := range set.at("objects", key) {
		path := d.path[2:]
		if !secret(d.old) || !secret(d.new) || slices.ContainsFunc(seen, func(e difference) bool { return below(e.path, path) }) {
			continue
		}
		if len(path) == 0 { // All of it is hidden.
			path = resource.PropertyPath{"data"}
		}
		out = append(out, difference{path: path, old: d.old, new: d.new})
	}
	return out
}

// drifted says what others changed in an object since it was applied.
func drifted(set, o *subject, key string) {
	for _, d := range set.take("drift", key) {
		o.say(Availability, Medium, "was changed by others since it was applied: %s; an update repairs it", brief(firstNonNil(d.old, d.new)))
	}
}

func (b *builder) add(s engine.Step, subject *subject, object string, priced *CostChange) {
	if len(subject.lines) == 0 {
		return
	}
	slices.SortStableFunc(subject.lines, func(x, y Line) int {
		return cmp.Or(rankOf(x.Level)-rankOf(y.Level), classRank(x.Class)-classRank(y.Class))
	})
	c := Change{Class: subject.lines[0].Class, Level: subject.lines[0].Level, Resource: subject.label, Operation: subject.operation,
		Type: s.Type, URN: b.secrets.Name(s.URN), Object: b.secrets.Name(object), Cost: priced}
	for _, l := range subject.lines {
		l.Words = b.secrets.Known(l.Words)
		c.Lines = append(c.Lines, l)
	}
	for _, d := range subject.diffs {
		c.Properties = append(c.Properties, b.property(d))
		if d.replaces {
			c.Causes = append(c.Causes, b.secrets.Known(fmt.Sprintf("%s (%s)", d.path, values(&d))))
		}
	}
	if object == "" {
		for _, urn := range slices.Sorted(slices.Values(b.dependents[s.URN])) {
			c.Dependents = append(c.Dependents, b.labels[urn])
		}
	}
	b.out.Changes = append(b.out.Changes, c)
}

func (b *builder) property(d difference) Property {
	out := Property{Path: d.path.String(), Change: "update", Old: b.secrets.Text(show(d.old)), New: b.secrets.Text(show(d.new)), Replaces: d.replaces}
	switch {
	case d.old == nil && d.new != nil:
		out.Change = "add"
	case d.old != nil && d.new == nil:
		out.Change = "delete"
	}
	return out
}
