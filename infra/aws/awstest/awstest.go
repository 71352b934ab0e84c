// SPDX-License-Identifier: Apache-2.0

// Package awstest runs components of AWS against an engine that only writes down
// what they ask for, for their tests.
package awstest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Planned is one resource that a component asked for.
type Planned struct {
	Type, Name string
	Protect    bool `json:",omitempty"`
	// Inputs are plain values; a secret is the text "[secret]".
	Inputs map[string]any
}

// Plan is all that was asked for, sorted by type and name.
type Plan []Planned

// Of returns the resources of a type.
func (p Plan) Of(kind string) Plan {
	var list Plan
	for _, r := range p {
		if r.Type == kind {
			list = append(list, r)
		}
	}
	return list
}

// One returns the resource of a type and name; there must be one.
func (p Plan) One(t *testing.T, kind, name string) Planned {
	t.Helper()
	for _, r := range p.Of(kind) {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("no %s named %s is planned", kind, name)
	return Planned{}
}

// JSON is the plan as text, for golden files. Documents of IAM are taken apart, so that
// a difference shows in the line where it is.
func (p Plan) JSON() string {
	for _, r := range p {
		for key, value := range r.Inputs {
			if text, ok := value.(string); ok && strings.HasPrefix(text, "{") {
				var document any
				if json.Unmarshal([]byte(text), &document) == nil {
					r.Inputs[key] = document
				}
			}
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	// Plain values always have a JSON.
	_ = encoder.Encode(p)
	return text.String()
}

// engine stands in for Pulumi's. Each resource gets its name as ID, and an ARN of it.
type engine struct {
	mu   sync.Mutex
	plan Plan
	more map[string]resource.PropertyMap
}

func (e *engine) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	protect := args.RegisterRPC.GetProtect()
	e.plan = append(e.plan, Planned{Type: args.TypeToken, Name: args.Name, Protect: protect, Inputs: plain(args.Inputs)})
	out := args.Inputs.Copy()
	out["arn"] = resource.NewStringProperty("arn:" + args.TypeToken + ":" + args.Name)
	for key, value := range e.more[args.TypeToken] {
		out[key] = value
	}
	return args.Name, out, nil
}

func (e *engine) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return resource.PropertyMap{}, nil
}

// Run returns what the program asks for, components aside. The outputs are those that
// AWS adds to resources of a type.
func Run(t *testing.T, outputs map[string]resource.PropertyMap, program func(*pulumi.Context) error) (Plan, error) {
	t.Helper()
	e := &engine{more: outputs}
	err := pulumi.RunErr(program, pulumi.WithMocks("spine", "ers-test", e))
	plan := slices.DeleteFunc(e.plan, func(p Planned) bool { return !strings.HasPrefix(p.Type, "aws:") })
	slices.SortFunc(plan, func(a, b Planned) int { return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name)) })
	return plan, err
}

func plain(m resource.PropertyMap) map[string]any {
	values := map[string]any{}
	for key, v := range m {
		values[string(key)] = value(v)
	}
	return values
}

func value(v resource.PropertyValue) any {
	switch {
	case v.IsSecret():
		return "[secret]"
	case v.IsOutput():
		return value(v.OutputValue().Element)
	case v.IsObject():
		return plain(v.ObjectValue())
	case v.IsArray():
		list := []any{}
		for _, item := range v.ArrayValue() {
			list = append(list, value(item))
		}
		return list
	}
	return v.V
}
