// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

const utcSeconds = "2006-01-02 15:04:05 UTC"

// markdown is the record as a page.
func (r *record) markdown() string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	o := &api.ServiceRecovery{Spec: r.Spec, Status: r.Status}
	p("# %s on %s: %s\n", r.Spec.Action, targetOf(o), phaseWords(o))
	p("| | |\n|---|---|")
	row := func(name, value string) {
		if value != "" {
			p("| %s | %s |", name, inCell(value))
		}
	}
	row("operation", r.Namespace+"/"+r.Name+", uid "+r.UID)
	row("site", r.Site+", "+r.Server)
	row("asked for by", r.Spec.RequestedBy)
	row("reason", r.Spec.Reason)
	row("created", stamp(&r.Created))
	row("started", stamp(r.Status.StartedAt))
	row("ended", stamp(r.Status.EndedAt))
	row("outcome", string(r.Status.Phase)+". "+r.Status.Message)
	row("approval used", r.Status.Approval)
	if g := r.Spec.BreakGlass; g != nil {
		row("**break-glass**", g.Reason)
	}
	if r.Status.FencingToken > 0 {
		row("fencing token", fmt.Sprint(r.Status.FencingToken))
	}
	r.outcome(p)
	r.plan(p)
	r.steps(p)
	if len(r.Approvals) > 0 {
		p("\n## Approvals\n\n| approver | digest | until | reason |\n|---|---|---|---|")
		for _, v := range r.Approvals {
			p("| %s | `%s` | %s | %s |", inCell(v.Approver), v.PlanDigest, stamp(&v.ExpiresAt), inCell(v.Reason))
		}
	}
	if len(r.Status.Blockers) > 0 {
		p("\n## Blockers\n")
		for _, v := range r.Status.Blockers {
			p("- **%s**: %s", v.Reason, v.Message)
		}
	}
	if len(r.Events) > 0 {
		p("\n## Events\n\n| time | type | reason | message |\n|---|---|---|---|")
		for _, e := range r.Events {
			p("| %s | %s | %s | %s |", stamp(&e.Time), e.Type, e.Reason, inCell(e.Message))
		}
	}
	p("\nRead by %s at %s.", orDash(r.ReadBy), stamp(&r.ReadAt))
	for _, g := range r.Gaps {
		p("\nMissing here: %s.", g)
	}
	return b.String()
}

// outcome is the evidence: what was lost, how long it took, what waited.
func (r *record) outcome(p func(string, ...any)) {
	e := r.Status.Evidence
	if e == nil {
		return
	}
	p("\n## Evidence\n\n| | |\n|---|---|")
	p("| predicted loss | %s |", lossWords(e.PredictedLoss))
	if e.MeasuredLoss != nil {
		p("| measured loss | %s |", lossWords(*e.MeasuredLoss))
	}
	number := func(name, unit string, n *int64) {
		if n != nil {
			p("| %s | %d%s |", name, *n, unit)
		}
	}
	number("backlog before", "", e.BacklogBefore)
	number("backlog after", "", e.BacklogAfter)
	number("recovered within", " s of its first step", e.RecoverySeconds)
	if len(e.Notes) > 0 {
		p("")
	}
	for _, n := range e.Notes {
		p("- %s", n)
	}
}

func (r *record) plan(p func(string, ...any)) {
	plan := r.Status.Plan
	if plan == nil {
		return
	}
	p("\n## Plan\n\n%s\n\n- digest `%s`, made %s", plan.Summary, plan.Digest, stamp(&plan.MadeAt))
	if r.Spec.PlanDigest != "" {
		p("- agreed to by %s: `%s`", r.Spec.RequestedBy, r.Spec.PlanDigest)
	}
	if plan.Disruptive {
		p("- disrupts")
	}
	if plan.PointOfNoReturn != "" {
		p("- no way back from step %s on", plan.PointOfNoReturn)
	}
	for _, input := range plan.Inputs {
		p("- rests on %s", input)
	}
	p("\n| step | what it does | touches | planned | |\n|---|---|---|---|---|")
	for i, s := range plan.Steps {
		note := ""
		if s.Destructive {
			note = "destroys"
		}
		p("| %d %s | %s | %s | %s | %s |", i+1, s.Name, inCell(s.Summary), inCell(strings.Join(s.Touches, ", ")), seconds(s.ExpectedSeconds), note)
	}
}

func (r *record) steps(p func(string, ...any)) {
	if len(r.Status.Steps) == 0 {
		return
	}
	p("\n## Steps as carried out\n\n| step | state | began | took | acts | message |\n|---|---|---|---|---|---|")
	for i, s := range r.Status.Steps {
		took := ""
		if s.StartedAt != nil && s.EndedAt != nil {
			took = fmt.Sprintf("%d s", int(s.EndedAt.Sub(s.StartedAt.Time).Seconds()))
		}
		p("| %d %s | %s | %s | %s | %d | %s |", i+1, s.Name, s.State, stamp(s.StartedAt), took, s.Acts, inCell(s.Message))
	}
}

// stamp is a moment in UTC; empty when there is none.
func stamp(t *metav1.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format(utcSeconds)
}

// inCell keeps a sentence within its table cell.
func inCell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}
