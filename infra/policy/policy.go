// SPDX-License-Identifier: Apache-2.0

// Package policy judges planned resources by rules. Rules are pure: a resource, or
// a whole stack, goes in as plain values, and findings come out. The same rules run
// inside `pulumi preview` and `pulumi up` (package analyzer) and over saved plans
// and event logs (package offline).
//
// No value of a secret ever reaches a rule: see Secret.
package policy

import "fmt"

// Severity is what a finding does to an update.
type Severity string

const (
	// Mandatory findings end the preview, and so the update, before anything is
	// changed.
	Mandatory Severity = "mandatory"
	// Advisory findings are shown.
	Advisory Severity = "advisory"
)

// Framework is a body of controls that auditors ask about.
type Framework string

// The frameworks.
const (
	// NCSC is the National Cyber Security Centre's cloud security principles, 1 to
	// 14; a part of one is written "2.1".
	NCSC Framework = "NCSC"
	// CAF is the Cyber Assessment Framework of the Data Security and Protection
	// Toolkit: B5 is resilience, D1 response and recovery.
	CAF Framework = "CAF"
	// CISAWS is the CIS Amazon Web Services Foundations Benchmark, version 3.0.0.
	CISAWS Framework = "CIS AWS"
	// CISKubernetes is the CIS Kubernetes Benchmark, version 1.11.
	CISKubernetes Framework = "CIS Kubernetes"
	// Spine is one of the project's own eleven rules of operation.
	Spine Framework = "Spine"
)

// Control is one requirement of a framework.
type Control struct {
	Framework Framework `json:"framework"`
	ID        string    `json:"id"`
}

func (c Control) String() string { return fmt.Sprintf("%s %s", c.Framework, c.ID) }

// Rule is one thing that is asked of resources. Exactly one of Check and
// CheckStack is set.
type Rule struct {
	// Name is unique, of lower-case letters, digits and '-'; waivers refer to it.
	Name string
	// Severity says whether a finding stops the update.
	Severity Severity
	// Controls are the requirements that the rule is evidence for, at least one.
	Controls []Control
	// Explanation says in one or two sentences what is asked, and why.
	Explanation string
	// Fix says what to change when there is a finding.
	Fix string

	// Types are the type tokens that Check is called for; a token that ends in "*"
	// stands for all that begin like it. Empty means every type.
	Types []string
	// Check judges one resource. It is never called for one that goes.
	Check func(r Resource, in Environment) []Finding
	// CheckStack judges all resources together.
	CheckStack func(s Stack) []Finding
	// Remediate says what would put a resource right, when that is safe to do
	// unasked; nil for rules that leave it to people. Edits are shown in the diff.
	Remediate func(r Resource) []Edit
}

// Edit sets one property.
type Edit struct {
	Path  Path
	Value any
}

// Concerns says whether the rule's Check looks at resources of a type.
func (r Rule) Concerns(token string) bool {
	if r.Check == nil {
		return false
	}
	if len(r.Types) == 0 {
		return true
	}
	for _, t := range r.Types {
		if matches(t, token) {
			return true
		}
	}
	return false
}
