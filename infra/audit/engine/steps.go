// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"spine.nhs.uk/controlplane/infra/policy"
)

// state is one side of a step, as event logs and previews both have it.
type state struct {
	custom, protect, retain, pendingDelete bool
	parent                                 string
	inputs, outputs                        map[string]any
	dependencies                           []string
}

// part is one operation of the engine. A replacement is several of them.
type part struct {
	op       apitype.OpType
	urn, typ string
	provider string
	old, new *state
	keys     []string
	diff     map[string]Kind
}

// gathering makes steps of parts.
type gathering struct {
	what  string
	order []string
	steps map[string]*Step
	// providers are references, "URN::ID", by resource.
	providers map[string]string
	preview   *Preview
}

func newGathering(what string, p *Preview) *gathering {
	return &gathering{what: what, steps: map[string]*Step{}, providers: map[string]string{}, preview: p}
}

// add takes one operation in. The last word on a resource counts: what the engine says when a step is done is more than
// what it said when it began.
func (g *gathering) add(p part) error {
	stack, project, name, ok := identity(p.urn)
	if !ok {
		return refuse(g.what, "%q is not a resource's URN", p.urn)
	}
	if g.preview.Stack == "" {
		g.preview.Stack, g.preview.Project = stack, project
	}
	if stack != g.preview.Stack || project != g.preview.Project {
		return refuse(g.what, "it holds resources of the stacks %s and %s: give what the engine wrote about one stack",
			g.preview.Stack, stack)
	}
	operation, known := operations[p.op]
	if !known {
		return refuse(g.what, "the operation %q on %s is unknown to this version: use the newest stackdiff", p.op, name)
	}
	key := p.urn
	leftover := p.op == apitype.OpDelete && p.old != nil && p.old.pendingDelete
	if leftover {
		key += " (leftover)"
	}
	s := g.steps[key]
	if s == nil {
		s = &Step{Leftover: leftover}
		s.URN, s.Type, s.Name = p.urn, p.typ, name
		g.steps[key] = s
		g.order = append(g.order, key)
	}
	if operation == policy.Replace && s.Operation != policy.Replace {
		s.DeleteFirst = p.op == apitype.OpDeleteReplaced
	}
	if s.Operation != policy.Replace {
		s.Operation = operation
	}
	s.Read = s.Read || p.op == apitype.OpRefresh
	s.Imported = s.Imported || strings.HasPrefix(string(p.op), "import")
	s.merge(p)
	if p.provider != "" {
		g.providers[key] = p.provider
	}
	return nil
}

// merge keeps what is already known: the deletion in a replacement knows nothing of the new resource, and the creation
// nothing of the old one.
func (s *Step) merge(p part) {
	if o := p.old; o != nil && p.op != apitype.OpCreate {
		s.OldInputs, s.OldOutputs = o.inputs, o.outputs
		s.OldProtect, s.OldRetain = o.protect, o.retain
		s.Custom, s.Parent = s.Custom || o.custom, o.parent
		if s.Dependencies == nil {
			s.Dependencies = o.dependencies
		}
	}
	if n := p.new; n != nil && p.op != apitype.OpDelete && p.op != apitype.OpDeleteReplaced {
		s.Inputs, s.Outputs = n.inputs, n.outputs
		s.Protect, s.RetainOnDelete = n.protect, n.retain
		s.Custom, s.Parent = n.custom, n.parent
		if n.dependencies != nil {
			s.Dependencies = n.dependencies
		}
	}
	if len(p.keys) > 0 {
		s.Keys = p.keys
	}
	if p.diff != nil {
		s.Diff = p.diff
	}
}

// finish hands the steps over, with their providers.
func (g *gathering) finish() {
	for _, key := range g.order {
		s := g.steps[key]
		if reference := g.providers[key]; reference != "" {
			s.Provider = g.provider(reference)
		}
		g.preview.Steps = append(g.preview.Steps, *s)
	}
}

// provider finds the provider behind a reference; its ID is the last part of it.
func (g *gathering) provider(reference string) *policy.Provider {
	urn := reference
	if i := strings.LastIndex(reference, "::"); i > 0 {
		urn = reference[:i]
	}
	s := g.steps[urn]
	if s == nil {
		return nil
	}
	inputs := s.Inputs
	if inputs == nil {
		inputs = s.OldInputs
	}
	return &policy.Provider{URN: urn, Type: s.Type, Name: s.Name, Inputs: inputs}
}

// operations are the engine's operations in the words of the rules. Reading and refreshing changes nothing outside.
var operations = map[apitype.OpType]policy.Operation{
	apitype.OpSame:                 policy.Same,
	apitype.OpRead:                 policy.Same,
	apitype.OpRefresh:              policy.Same,
	apitype.OpReadDiscard:          policy.Same,
	apitype.OpCreate:               policy.Create,
	apitype.OpImport:               policy.Create,
	apitype.OpUpdate:               policy.Update,
	apitype.OpDelete:               policy.Delete,
	apitype.OpReplace:              policy.Replace,
	apitype.OpCreateReplacement:    policy.Replace,
	apitype.OpDeleteReplaced:       policy.Replace,
	apitype.OpReadReplacement:      policy.Replace,
	apitype.OpImportReplacement:    policy.Replace,
	apitype.OpDiscardReplaced:      policy.Replace,
	apitype.OpRemovePendingReplace: policy.Replace,
}

// values are properties of a resource of a type as rules see them; nil stays nil.
func values(kind string, properties map[string]any) map[string]any {
	if properties == nil {
		return nil
	}
	out, _ := policy.FromJSON(properties).(map[string]any)
	return policy.Settings(kind, out)
}
