// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"slices"
)

// Finding is what a rule has against a resource.
type Finding struct {
	// URN is the resource's; empty in findings of Check, which has only one.
	URN string
	// Property is where the fault is; empty for the resource as a whole.
	Property Path
	// Message says what was found: one sentence, without a full stop.
	Message string
}

// Found is a finding at a node.
func (n Node) Found(format string, args ...any) Finding {
	return Finding{Property: slices.Clone(n.Path), Message: fmt.Sprintf(format, args...)}
}

// Result is a finding with its rule, and the waiver that covers it.
type Result struct {
	Rule     string    `json:"rule"`
	Severity Severity  `json:"severity"`
	Controls []Control `json:"controls"`
	// URN is the resource's; empty for the stack as a whole.
	URN string `json:"urn,omitempty"`
	// Property is a path as Pulumi writes it; empty for the resource as a whole.
	Property string `json:"property,omitempty"`
	// Message says what was found.
	Message string `json:"message"`
	// Fix says what to do.
	Fix string `json:"fix"`
	// WaivedBy is the waiver that covers the finding; nil when none does.
	WaivedBy *Waiver `json:"waivedBy,omitempty"`
}

// Blocks says whether the result ends the update.
func (r Result) Blocks() bool { return r.Severity == Mandatory && r.WaivedBy == nil }

// Report is the judgement of a stack. Equal stacks, waivers and times give equal
// reports.
type Report struct {
	// Results are sorted: blocking ones first, then by severity, resource, rule and
	// property.
	Results []Result `json:"results"`
	// Waivers are all of the environment's, in their own order.
	Waivers []WaiverUse `json:"waivers"`
}

// Blocks says whether any result ends the update.
func (r Report) Blocks() bool {
	for _, result := range r.Results {
		if result.Blocks() {
			return true
		}
	}
	return false
}
