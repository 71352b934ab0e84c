// SPDX-License-Identifier: Apache-2.0

// Package audit says what a change of infrastructure means: in words, by risk, with rules and cost. It is pure: the same
// input gives the same report, to the byte. Secrets are replaced before anything else is done with values.
package audit

import (
	_ "embed"
	"time"

	"spine.nhs.uk/controlplane/infra/policy"
)

// Version names the form of a report, as its JSON carries it.
const Version = "spine.nhs.uk/stackdiff/v1"

// Schema is the JSON Schema of a report.
//
//go:embed report.schema.json
var Schema []byte

// Class is what a change puts at risk.
type Class string

// The classes, the worst first.
const (
	DataLoss     Class = "data loss"
	Exposure     Class = "exposure"
	Availability Class = "availability"
	Residency    Class = "residency"
	Identity     Class = "identity"
	Cost         Class = "cost"
	// Other is what no risk is known of.
	Other Class = "other"
)

// Classes are all classes in the order of reports.
func Classes() []Class {
	return []Class{DataLoss, Exposure, Availability, Residency, Identity, Cost, Other}
}

// Level is how much attention a line needs.
type Level string

const (
	// High may do harm that cannot be undone, or to everybody: ask before it is made.
	High Level = "high"
	// Medium may do harm that can be undone.
	Medium Level = "medium"
	// Low is worth knowing.
	Low Level = "low"
	// None is ordinary.
	None Level = "none"
)

// Levels are all levels, the worst first.
func Levels() []Level { return []Level{High, Medium, Low, None} }

// Kind is what a report is about.
type Kind string

const (
	// Planned changes are those that an update would make.
	Planned Kind = "preview"
	// Applied changes are those that updates made.
	Applied Kind = "history"
	// Drifted are differences between what was applied and what is there.
	Drifted Kind = "drift"
)

// Report is about one or more environments.
type Report struct {
	Version      string        `json:"version"`
	Kind         Kind          `json:"kind"`
	Environments []Environment `json:"environments"`
}

// Environment is one stack.
type Environment struct {
	Name    string `json:"name"`
	Project string `json:"project"`
	// Operation is "destroy", "refresh" or "import" in a preview of one; empty in one of an update.
	Operation string `json:"operation,omitempty"`
	// Time is that of the preview or check, in UTC: waivers are judged by it. Empty where the input does not say.
	Time string `json:"time,omitempty"`
	// Error says why there is no complete report; the rest is then what is known.
	Error string `json:"error,omitempty"`
	// Difference is what changes; nil in a history, which has Updates.
	Difference *Difference `json:"difference,omitempty"`
	Rules      *Rules      `json:"rules,omitempty"`
	// Messages are what programs and providers said.
	Messages []Message `json:"messages,omitempty"`
	Updates  []Update  `json:"updates,omitempty"`
	// Since says since when drift may have come about.
	Since string `json:"since,omitempty"`
}

// Rules are the judgement of rules on what is planned.
type Rules struct {
	// Count is how many rules were asked.
	Count int `json:"count"`
	// Blocks says that an update would be refused.
	Blocks   bool               `json:"blocks"`
	Findings []Finding          `json:"findings"`
	Waivers  []policy.WaiverUse `json:"waivers"`
	// Others are findings of policy packs other than this project's.
	Others []Message `json:"others,omitempty"`
}

// Finding is a rule's finding, with what people call the resource.
type Finding struct {
	Resource string `json:"resource"`
	policy.Result
}

// Message is what somebody said about a resource, or the stack.
type Message struct {
	Level    string `json:"level"`
	Resource string `json:"resource,omitempty"`
	Text     string `json:"text"`
}

// Difference is a set of changes.
type Difference struct {
	// Changes are sorted, the riskiest first.
	Changes []Change `json:"changes"`
	// Unchanged counts resources that stay as they are.
	Unchanged int `json:"unchanged"`
	// Noise counts differences that mean nothing, by why.
	Noise map[string]int `json:"noise"`
	Cost  CostSummary    `json:"cost"`
}

// Change is what happens to one resource, or to one object in a set of Kubernetes objects.
type Change struct {
	Class Class `json:"class"`
	Level Level `json:"level"`
	// Resource is what people call it: "host b", "Aurora cluster ers-live-db".
	Resource  string           `json:"resource"`
	Operation policy.Operation `json:"operation"`
	Type      string           `json:"type"`
	URN       string           `json:"urn"`
	// Object is the key of a Kubernetes object in its set.
	Object string `json:"object,omitempty"`
	// Lines say in words what it means, the riskiest first; at least one.
	Lines []Line `json:"lines"`
	// Properties are all that differs, by path.
	Properties []Property `json:"properties,omitempty"`
	// Causes are the properties that make a replacement necessary.
	Causes []string `json:"causes,omitempty"`
	// Dependents are what depends on it.
	Dependents []string    `json:"dependents,omitempty"`
	Cost       *CostChange `json:"cost,omitempty"`
}

// Line is one thing that a change means.
type Line struct {
	Class Class `json:"class"`
	Level Level `json:"level"`
	// Subject is what the line is about.
	Subject string `json:"subject"`
	Words   string `json:"words"`
}

// Property is a value that differs. Secrets read "[secret]", values that only the update will tell "[unknown]".
type Property struct {
	Path string `json:"path"`
	// Change is "add", "delete" or "update".
	Change string `json:"change"`
	Old    string `json:"old,omitempty"`
	New    string `json:"new,omitempty"`
	// Replaces says that it cannot be changed in place.
	Replaces bool `json:"replaces,omitempty"`
}

// CostSummary is what an environment costs a month, as far as prices are known.
type CostSummary struct {
	Currency string `json:"currency"`
	// Book is the date of the price book.
	Book string `json:"book"`
	// BeforeCents and AfterCents hold what is known only.
	BeforeCents int64 `json:"beforeCents"`
	AfterCents  int64 `json:"afterCents"`
	// UnknownBefore and UnknownAfter count resources without a price.
	UnknownBefore int `json:"unknownBefore"`
	UnknownAfter  int `json:"unknownAfter"`
	// Usage counts resources that also cost by use, which is not estimated.
	Usage int `json:"usage"`
	// Unknown says why prices are unknown, with how many resources each concerns.
	Unknown map[string]int `json:"unknown"`
}

// CostChange is what one resource costs a month.
type CostChange struct {
	BeforeCents int64 `json:"beforeCents"`
	AfterCents  int64 `json:"afterCents"`
	// UnknownBefore and UnknownAfter say why a figure is missing.
	UnknownBefore string   `json:"unknownBefore,omitempty"`
	UnknownAfter  string   `json:"unknownAfter,omitempty"`
	Usage         []string `json:"usage,omitempty"`
}

// Update is one run of the engine.
type Update struct {
	Number   int    `json:"number"`
	Kind     string `json:"kind"`
	Result   string `json:"result"`
	Started  string `json:"started"`
	Seconds  int64  `json:"seconds,omitempty"`
	Who      string `json:"who"`
	Commit   string `json:"commit"`
	Message  string `json:"message,omitempty"`
	Comments string `json:"comments,omitempty"`
	// Unjudged says why rules could not stop it; empty when they could.
	Unjudged string `json:"unjudged,omitempty"`
	// Difference is nil when the backend has no states to compare.
	Difference *Difference `json:"difference,omitempty"`
}

// stamp is how times are written.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
