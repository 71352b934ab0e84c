// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"iter"
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// A property's value is nil, bool, float64, string, []any, map[string]any, or one of
// two marks, Secret and Unknown.

// Secret stands where a secret is. What it hides was left behind when the value was
// read, so that no rule, message or report can show it.
type Secret struct{}

func (Secret) String() string { return "[secret]" }

// MarshalText is how reports show a secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Unknown stands for a value that only the update itself will tell.
type Unknown struct{}

func (Unknown) String() string { return "[unknown]" }

// MarshalText is how reports show an unknown value.
func (u Unknown) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// Path is where a property is: keys of maps (string) and indexes of lists (int). It
// is written as Pulumi writes it: spec.containers[0].image, objects["v1/Pod/a"].
type Path = resource.PropertyPath

// Node is a value and where it is. The zero Node is a property that is not there.
type Node struct {
	Path  Path
	Value any
}

// At goes down by keys and indexes. What is not there is a node without a value;
// what is below a secret is a secret, and below an unknown value unknown.
func (n Node) At(keys ...any) Node {
	at := Node{Path: append(slices.Clip(n.Path), keys...), Value: n.Value}
	for _, key := range keys {
		switch v := at.Value.(type) {
		case map[string]any:
			name, _ := key.(string)
			at.Value = v[name]
		case []any:
			i, ok := key.(int)
			if !ok || i < 0 || i >= len(v) {
				at.Value = nil
				continue
			}
			at.Value = v[i]
		case Secret, Unknown:
		default:
			at.Value = nil
		}
	}
	return at
}

// Items are the nodes of a list, or none.
func (n Node) Items() []Node {
	list, _ := n.Value.([]any)
	items := make([]Node, len(list))
	for i := range list {
		items[i] = n.At(i)
	}
	return items
}

// Fields are the nodes of a map by their keys, in the keys' order, or none.
func (n Node) Fields() iter.Seq2[string, Node] {
	fields, _ := n.Value.(map[string]any)
	return func(yield func(string, Node) bool) {
		for _, key := range slices.Sorted(maps.Keys(fields)) {
			if !yield(key, n.At(key)) {
				return
			}
		}
	}
}

// Each visits the node and everything below it, in no order. The visitor may keep
// what Found returns, but not the node: its path is written over.
func (n Node) Each(visit func(Node)) {
	visit(n)
	switch v := n.Value.(type) {
	case []any:
		for i, item := range v {
			Node{Path: append(n.Path, i), Value: item}.Each(visit)
		}
	case map[string]any:
		for key, field := range v {
			Node{Path: append(n.Path, key), Value: field}.Each(visit)
		}
	}
}

// Missing says that there is nothing at the node.
func (n Node) Missing() bool { return n.Value == nil }

// Hidden says that the value cannot be judged: it is a secret, or not known yet.
func (n Node) Hidden() bool {
	switch n.Value.(type) {
	case Secret, Unknown:
		return true
	}
	return false
}

// Secret says that the value is a secret.
func (n Node) Secret() bool { _, ok := n.Value.(Secret); return ok }

// Text is the value, "" when it is not a text.
func (n Node) Text() string { s, _ := n.Value.(string); return s }

// Number is the value, 0 when it is not a number.
func (n Node) Number() float64 { f, _ := n.Value.(float64); return f }

// True says that the value is true.
func (n Node) True() bool { b, _ := n.Value.(bool); return b }

// NotTrue says that the value is certainly not true: false, missing, or of another
// type, but not hidden.
func (n Node) NotTrue() bool { return !n.True() && !n.Hidden() }
