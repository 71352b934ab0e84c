// SPDX-License-Identifier: Apache-2.0

package policy

import "strings"

// Operation is what an update does to a resource.
type Operation string

// The operations. Same stands for reading and refreshing too.
const (
	Create  Operation = "create"
	Update  Operation = "update"
	Replace Operation = "replace"
	Delete  Operation = "delete"
	Same    Operation = "same"
)

// Environment says whose resources are judged.
type Environment struct {
	// Project and Stack are the names that Pulumi knows them by.
	Project string `json:"project"`
	Stack   string `json:"stack"`
}

// EnvironmentOf is the environment that a URN names; empty for what is no URN.
func EnvironmentOf(urn string) Environment {
	rest, ok := strings.CutPrefix(urn, "urn:pulumi:")
	parts := strings.Split(rest, "::")
	if !ok || len(parts) < 4 {
		return Environment{}
	}
	return Environment{Stack: parts[0], Project: parts[1]}
}

// Live says whether the environment holds what is of patients: a part of its stack's
// name is "live" ("live", "ers-live", "live-site-2"), or "dr", which takes over from it.
func (e Environment) Live() bool { return Live(e.Stack) }

// Live says whether a name is that of a live environment.
func Live(name string) bool {
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '-' || r == '.' || r == '/' || r == '_' }) {
		if part == "live" || part == "dr" {
			return true
		}
	}
	return false
}

// Stack is all resources of an environment, as they will be after the update, and
// those that go with it.
type Stack struct {
	Environment
	Resources []Resource
}

// Resource is one planned resource. Its properties are values as package policy
// describes them at Secret: never a secret's plaintext.
type Resource struct {
	// URN is the resource's identity; Type and Name are parts of it.
	URN, Type, Name string
	// Operation is empty where the engine does not say: while it asks about one
	// resource, it has not yet compared it with the one that is there.
	Operation Operation
	// Inputs are what the program asks for, Outputs what is known of the result. Both
	// are nil for a resource that goes.
	Inputs, Outputs map[string]any
	// OldInputs and OldOutputs are those before the update; nil for a new resource,
	// and where the engine does not say.
	OldInputs, OldOutputs map[string]any
	// Parent is the URN of the component that it belongs to.
	Parent string
	// Provider makes the resource; nil for components, and where it is unknown.
	Provider *Provider
	// Dependencies are URNs of what has to be there first; nil where unknown.
	Dependencies []string
	// Protect and OldProtect say whether the engine refuses to delete the resource,
	// after and before the update.
	Protect, OldProtect bool
	// RetainOnDelete says that the thing itself stays when the resource goes.
	RetainOnDelete bool
}

// Provider makes resources.
type Provider struct {
	URN, Type, Name string
	// Inputs are its configuration: an AWS region, for example.
	Inputs map[string]any
}

// Input is the node at a path of the resource's inputs.
func (r Resource) Input(keys ...any) Node { return Node{Value: orNil(r.Inputs)}.At(keys...) }

// OldInput is the node at a path of the inputs before the update.
func (r Resource) OldInput(keys ...any) Node { return Node{Value: orNil(r.OldInputs)}.At(keys...) }

// Goes says whether the update takes the resource away.
func (r Resource) Goes() bool { return r.Operation == Delete }

// Setting is the node at a path of the provider's configuration; missing without a
// provider.
func (r Resource) Setting(keys ...any) Node {
	if r.Provider == nil {
		return Node{}
	}
	return Node{Value: orNil(r.Provider.Inputs)}.At(keys...)
}

// orNil keeps a nil map from being an any that is not nil.
func orNil(m map[string]any) any {
	if m == nil {
		return nil
	}
	return m
}
