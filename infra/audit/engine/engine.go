// SPDX-License-Identifier: Apache-2.0

// Package engine reads what Pulumi's engine and its self-managed backend write: event logs, previews, plans,
// checkpoints and histories. Everything is read whole or not at all: what is cut off, from another version or of
// another stack is one error that says what to do. Plaintext of marked secrets never leaves this package.
package engine

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"spine.nhs.uk/controlplane/infra/policy"
)

// ErrInput is in every error about what was read, as opposed to how.
var ErrInput = errors.New("cannot be read")

func refuse(what, format string, args ...any) error {
	return fmt.Errorf("%s %w: %s", what, ErrInput, fmt.Sprintf(format, args...))
}

// Preview is what an update would do, or what one did when the log is of an update.
type Preview struct {
	// Project and Stack are empty when the engine failed before it saw a resource.
	Project, Stack string
	// Time is when it began; zero where the input does not say.
	Time time.Time
	// Steps are in the order in which the engine began them.
	Steps []Step
	// Config is the stack's configuration by key; secrets are "[secret]".
	Config map[string]string
	// Diagnostics are what programs and providers said.
	Diagnostics []Diagnostic
	// Violations are what rules inside the engine found.
	Violations []Violation
	// Failed says that the engine stopped before it had seen everything.
	Failed bool
	// ended says that the engine called it a failure, without a reason of its own.
	ended bool
	// Unread counts events of kinds that this version does not know.
	Unread int
}

// Step is what happens to one resource.
type Step struct {
	policy.Resource
	// Custom resources exist outside the engine; others group them.
	Custom bool
	// Imported resources exist already and are taken over.
	Imported bool
	// Read resources were asked what they are: the new state is what is there, not what is wanted.
	Read bool
	// Past steps are known by what was there before and after, not by how it was done.
	Past bool
	// Leftover is an old copy of a replaced resource, which an earlier update failed to delete.
	Leftover bool
	// OldRetain is RetainOnDelete before the change: it decides what a deletion does.
	OldRetain bool
	// Diff is what the provider says differs, by path; nil when it does not say.
	Diff map[string]Kind
	// Keys are the properties that make a replacement necessary.
	Keys []string
	// DeleteFirst says that a replacement deletes the old one before there is a new one.
	DeleteFirst bool
	// Resealed are paths of secrets that were written anew, which is all that can be told of them.
	Resealed []string
}

// Kind is how a property differs.
type Kind struct {
	// Change is "add", "delete" or "update".
	Change string
	// Replaces says that it cannot be changed in place.
	Replaces bool
	// Input says that inputs differ, rather than the state from the inputs.
	Input bool
}

func kindOf(engines string, input bool) Kind {
	change, replaces := strings.CutSuffix(engines, "-replace")
	return Kind{Change: change, Replaces: replaces, Input: input}
}

// Diagnostic is a message of a program or provider.
type Diagnostic struct {
	// URN is the resource's; empty for the stack.
	URN string
	// Severity is "info", "warning" or "error".
	Severity string
	Message  string
}

// Violation is a finding of a policy pack.
type Violation struct {
	Pack, Rule, URN, Message string
	// Mandatory ones stop the update.
	Mandatory bool
}

// Resources are the steps as rules see them.
func (p *Preview) Resources() []policy.Resource {
	out := make([]policy.Resource, len(p.Steps))
	for i, s := range p.Steps {
		out[i] = s.Resource
	}
	return out
}

// identity returns the parts of a URN: urn:pulumi:STACK::PROJECT::TYPES::NAME.
func identity(urn string) (stack, project, name string, ok bool) {
	rest, ok := strings.CutPrefix(urn, "urn:pulumi:")
	parts := strings.SplitN(rest, "::", 4)
	if !ok || len(parts) != 4 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
		return "", "", "", false
	}
	return parts[0], parts[1], parts[3], true
}
