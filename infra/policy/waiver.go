// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"strings"
	"time"
)

// Waiver lets named findings of one rule pass until a day. Environments carry them
// in their configuration.
type Waiver struct {
	// Rule is the rule's name.
	Rule string `json:"rule"`
	// Resource is a URN, or a resource's name, in which "*" stands for any text.
	Resource string `json:"resource"`
	// Property is the path of the property, or of one that it is in; empty for any of
	// the resource's.
	Property string `json:"property"`
	// Owner is the person who answers for it.
	Owner string `json:"owner"`
	// Reason says why it has to be.
	Reason string `json:"reason"`
	// From and Until are its first and last day, in UTC: "2026-11-30".
	From  string `json:"from"`
	Until string `json:"until"`
}

// State is what a waiver is at a time.
type State string

// The states.
const (
	// Active waivers cover findings.
	Active State = "active"
	// Pending waivers will, from a later day on.
	Pending State = "pending"
	// Expired waivers cover nothing any more: remove them.
	Expired State = "expired"
)

// WaiverUse is a waiver and what it did.
type WaiverUse struct {
	Waiver
	State State `json:"state"`
	// Covers is how many findings it covers. A waiver that is active and covers
	// nothing has outlived its reason.
	Covers int `json:"covers"`
}

// State says what the waiver is at a time. One whose days cannot be read is expired:
// it never covers anything.
func (w Waiver) State(now time.Time) State {
	from, fromErr := time.Parse(time.DateOnly, w.From)
	until, untilErr := time.Parse(time.DateOnly, w.Until)
	switch {
	case fromErr != nil || untilErr != nil || !now.Before(until.AddDate(0, 0, 1)):
		return Expired
	case now.Before(from):
		return Pending
	}
	return Active
}

// Covers says whether the waiver names the result's rule, resource and property. A
// waiver without a resource covers nothing.
func (w Waiver) Covers(r Result) bool {
	if w.Rule != r.Rule || w.Resource == "" || r.URN == "" {
		return false
	}
	if w.Resource != r.URN && !matches(w.Resource, nameOf(r.URN)) {
		return false
	}
	rest, below := strings.CutPrefix(r.Property, w.Property)
	return below && (w.Property == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
}

// nameOf is the last part of a URN.
func nameOf(urn string) string {
	if i := strings.LastIndex(urn, "::"); i >= 0 {
		return urn[i+len("::"):]
	}
	return urn
}

// matches says whether the pattern fits the whole text; "*" in it stands for any.
func matches(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return true
}
