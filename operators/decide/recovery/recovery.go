// SPDX-License-Identifier: Apache-2.0

// Package recovery decides how the actions of a ServiceRecovery on a service are carried
// out: facts in, a plan and what holds it back out. Nothing here reads or changes anything.
package recovery

import (
	"fmt"
	"slices"
	"strings"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/quorum"
)

// Service is what every plan for a service rests on.
type Service struct {
	// Kind, Namespace and Name of the service.
	Kind, Namespace, Name string
	// Parts of the service, each with its members.
	Parts []quorum.Part
	// Elsewhere are the hosts of engines that somebody else runs, by the names of their parts:
	// those have no members that could be counted or touched, and are none of Parts.
	Elsewhere map[string]string
	// Backlog is acknowledged, unprocessed work. Nil: nobody answers who could count it.
	Backlog *int64
}

func (s Service) String() string { return fmt.Sprintf("%s %s/%s", s.Kind, s.Namespace, s.Name) }

// part returns the part of that name; the zero value, which is unknown, if there is none.
func (s Service) part(name string) quorum.Part {
	if i := slices.IndexFunc(s.Parts, func(p quorum.Part) bool { return p.Name == name }); i >= 0 {
		return s.Parts[i]
	}
	return quorum.Part{Name: name}
}

// Decision is a plan, and what holds it back. With blockers it may be empty.
type Decision struct {
	Plan     api.Plan
	Blockers []api.Blocker
}

// plan makes a plan of steps; what a step leaves out of the whole is added up.
func plan(summary string, inputs []string, steps ...api.PlannedStep) Decision {
	p := api.Plan{Summary: summary, Inputs: inputs, Steps: steps}
	for _, s := range steps {
		p.ExpectedSeconds += s.ExpectedSeconds
	}
	return Decision{Plan: p}
}

// blocked is an empty plan with one reason.
func blocked(reason, format string, args ...any) Decision {
	return Decision{
		Plan:     api.Plan{Summary: "nothing: it is blocked", Steps: []api.PlannedStep{}},
		Blockers: []api.Blocker{blocker(reason, format, args...)},
	}
}

func blocker(reason, format string, args ...any) api.Blocker {
	return api.Blocker{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Missing is the decision when the service does not exist.
func Missing(kind, namespace, name string) Decision {
	return blocked(api.ReasonTargetNotFound, "there is no %s %s/%s: give the name of a service in the operation's own namespace", kind, namespace, name)
}

// Asleep is the decision on a service that is to be asleep: its parts are stopped on purpose, and
// what an operation would start or wait for is not there.
func Asleep(kind, namespace, name string) Decision {
	return blocked(api.ReasonAsleep, "%s %s/%s is to be asleep (spec.activity): there is nothing of it to act on; set spec.activity to Awake and wait until status.sleep.phase is Awake", kind, namespace, name)
}

// notOurs is the decision on an action that would act on members of an engine that somebody
// else runs.
func (s Service) notOurs(part string) Decision {
	return blocked(api.ReasonRunElsewhere, "the %s of %s is run by somebody else, at %s: its members are not seen from here and nothing is done to them; act with the means of whoever runs it", part, s, s.Elsewhere[part])
}

// Disrupt says what keeps one member of the named part from being taken away now.
func (s Service) Disrupt(name string) []api.Blocker {
	return disrupt(quorum.MayDisrupt(name, s.Parts))
}

func disrupt(d quorum.Decision) []api.Blocker {
	switch d.Verdict {
	case quorum.Allow:
		return nil
	case quorum.Unknown:
		return []api.Blocker{blocker(api.ReasonStateUnknown,
			"%s: nothing is touched while that is so; see what keeps the operators and programs from reporting", d.Message)}
	}
	return []api.Blocker{blocker(api.ReasonQuorumAtRisk,
		"%s: one more down could cost a quorum; repair what is missing or wait until it is back", d.Message)}
}

// Object is something that a plan names, so that a step acts on exactly it.
type Object struct {
	Kind, Namespace, Name, UID string
}

// Touch is the object as a step's touches name it.
func (o Object) Touch() string { return o.Kind + " " + o.Namespace + "/" + o.Name }

// Input is the object as a plan's inputs name it.
func (o Object) Input() string { return o.Touch() + " uid " + o.UID }

func touches(objects ...Object) []string {
	var out []string
	for _, o := range objects {
		out = append(out, o.Touch())
	}
	return out
}

func inputs(objects ...Object) []string {
	var out []string
	for _, o := range objects {
		out = append(out, o.Input())
	}
	return out
}

// Named returns the objects that a step of a plan touches, with the UIDs that its inputs
// say. What has no UID there is left out: it is not for the step to take away.
func Named(p *api.Plan, step api.PlannedStep) []Object {
	var out []Object
	if p == nil {
		return out
	}
	for _, input := range p.Inputs {
		words := strings.Fields(input)
		if len(words) != 4 || words[2] != "uid" || !slices.Contains(step.Touches, words[0]+" "+words[1]) {
			continue
		}
		if namespace, name, ok := strings.Cut(words[1], "/"); ok {
			out = append(out, Object{words[0], namespace, name, words[3]})
		}
	}
	return out
}

// Count says a number of things.
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
