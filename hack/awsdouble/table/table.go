// SPDX-License-Identifier: Apache-2.0

// Package table holds the shapes of the AWS resources that this project uses, as the Go SDK of pulumi-aws declares them:
// which inputs a type takes, of what kind, which it must have, which of them replace, and what it puts out.
package table

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

//go:embed table.json
var embedded []byte

// Table is what is known of the SDK.
type Table struct {
	// SDK is the version of pulumi-aws that was read, as in 6.83.2.
	SDK string `json:"sdk"`
	// Provider are the settings of an explicit provider.
	Provider Fields `json:"provider"`
	// Types are the resources by token.
	Types map[string]*Type `json:"types"`
	// Objects are the nested types, by the name that kinds refer to them by. Those of equal shape share one.
	Objects map[string]Fields `json:"objects"`
}

// Type is one type of resource.
type Type struct {
	Inputs  Fields `json:"inputs"`
	Outputs Fields `json:"outputs"`
	// Replaces are the inputs that AWS can only change by making another resource: paths such as "vpcConfig.subnetIds",
	// without the indexes of lists.
	Replaces []string `json:"replaces,omitempty"`
}

// Fields are properties with their kinds. A "!" behind a kind says that the property is required; among outputs, that it
// is always there.
type Fields map[string]Kind

// Kind is the type of a property: string, int, number, bool, any, asset, [KIND] for a list, {KIND} for a map of texts to
// values, or #NAME for one of the table's objects.
type Kind string

// Required says whether the property has to be given.
func (k Kind) Required() bool { return strings.HasSuffix(string(k), "!") }

// Bare is the kind without its mark.
func (k Kind) Bare() Kind { return Kind(strings.TrimSuffix(string(k), "!")) }

// List returns the kind of a list's items; false for what is no list.
func (k Kind) List() (Kind, bool) { return k.within("[", "]") }

// Map returns the kind of a map's values; false for what is no map.
func (k Kind) Map() (Kind, bool) { return k.within("{", "}") }

func (k Kind) within(open, end string) (Kind, bool) {
	rest, begins := strings.CutPrefix(string(k.Bare()), open)
	inner, ends := strings.CutSuffix(rest, end)
	return Kind(inner), begins && ends
}

// Object returns the fields of a nested type; false for what is none.
func (t *Table) Object(k Kind) (Fields, bool) {
	name, ok := strings.CutPrefix(string(k.Bare()), "#")
	if !ok {
		return nil, false
	}
	return t.Objects[name], true
}

// Embedded is the table that comes with this package.
var Embedded = sync.OnceValue(func() *Table {
	t, err := Parse(embedded)
	if err != nil {
		panic(fmt.Sprintf("the embedded table: %v; make it anew by `go generate ./hack/awsdouble`", err)) // Held by a test.
	}
	return t
})

// Parse reads a table, and refuses one whose kinds refer to nothing.
func Parse(text []byte) (*Table, error) {
	var t Table
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		return nil, err
	}
	if err := t.check("provider", t.Provider); err != nil {
		return nil, err
	}
	for token, typ := range t.Types {
		if typ == nil {
			return nil, fmt.Errorf("%s: is null", token)
		}
		for _, fields := range []Fields{typ.Inputs, typ.Outputs} {
			if err := t.check(token, fields); err != nil {
				return nil, err
			}
		}
	}
	for name, fields := range t.Objects {
		if err := t.check(name, fields); err != nil {
			return nil, err
		}
	}
	return &t, nil
}

func (t *Table) check(where string, fields Fields) error {
	for name, kind := range fields {
		if !t.known(kind) {
			return fmt.Errorf("%s: %s is of the unknown kind %q", where, name, kind)
		}
	}
	return nil
}

func (t *Table) known(k Kind) bool {
	if item, ok := k.List(); ok {
		return t.known(item)
	}
	if value, ok := k.Map(); ok {
		return t.known(value)
	}
	if name, ok := strings.CutPrefix(string(k.Bare()), "#"); ok {
		_, ok := t.Objects[name]
		return ok
	}
	switch k.Bare() {
	case "string", "int", "number", "bool", "any", "asset":
		return true
	}
	return false
}

// Write is the text of a table, one line for each type, so that a change of the SDK reads well.
func Write(t *Table) ([]byte, error) {
	var b bytes.Buffer
	provider, err := json.Marshal(t.Provider)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(&b, "{\n  \"sdk\": %q,\n  \"provider\": %s,\n  \"types\": {\n", t.SDK, provider)
	if err := lines(&b, t.Types); err != nil {
		return nil, err
	}
	b.WriteString("  },\n  \"objects\": {\n")
	if err := lines(&b, t.Objects); err != nil {
		return nil, err
	}
	b.WriteString("  }\n}\n")
	return b.Bytes(), nil
}
