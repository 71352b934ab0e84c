// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// planScreen shows what an operation will do, for a person to agree to or not.
func (a *app) planScreen(o *api.ServiceRecovery) string {
	s := &screen{color: a.color}
	s.labelled("OPERATION", fmt.Sprintf("%s/%s   %s on %s", o.Namespace, o.Name, o.Spec.Action, targetOf(o)))
	s.labelled("BY", o.Spec.RequestedBy)
	s.labelled("REASON", o.Spec.Reason)
	if p := o.Status.Plan; p != nil {
		a.plan(s, p)
	} else if len(o.Status.Blockers) == 0 {
		s.labelled("PLAN", "none: "+orDash(o.Status.Message))
	}
	blockers(s, o.Status.Blockers)
	return s.String()
}

func (a *app) plan(s *screen, p *api.Plan) {
	s.labelled("PLAN", p.Summary)
	s.labelled("LOSS", lossWords(p.PredictedLoss))
	s.labelled("TAKES", "about "+seconds(p.ExpectedSeconds))
	if p.Disruptive {
		s.labelled("DISRUPTS", "yes: it takes something away from clients or from redundancy for a while")
	} else {
		s.labelled("DISRUPTS", "no")
	}
	if p.NeedsApproval {
		s.labelled("APPROVAL", "needed: another person has to agree to this digest")
	} else {
		s.labelled("APPROVAL", "not needed")
	}
	if p.PointOfNoReturn == "" {
		s.labelled("WAY BACK", "it can be aborted between any two steps")
	} else {
		s.labelled("WAY BACK", "none once step "+p.PointOfNoReturn+" has begun; it can be aborted before")
	}
	s.labelled("DIGEST", p.Digest)
	if len(p.Steps) > 0 {
		s.line("")
		s.table([]column{{"STEP", 28}, {"WHAT IT DOES", 50}, {"TAKES", 7}, {"NOTE", 9}}, stepRows(p.Steps))
	}
	if len(p.Inputs) > 0 {
		s.line("")
		s.title("IT RESTS ON")
		for _, input := range p.Inputs {
			for i, l := range wrap(input, screenWidth-4) {
				s.line("%s%s", strings.Repeat(" ", 2+2*min(i, 1)), l)
			}
		}
	}
}

// stepRows has one row for a step, more for a long sentence, and one for each thing touched.
func stepRows(steps []api.PlannedStep) [][]cell {
	var rows [][]cell
	for i, step := range steps {
		note := plain("")
		if step.Destructive {
			note = cell{"DESTROYS", toneBad}
		}
		lines := wrap(step.Summary, 50)
		rows = append(rows, []cell{plain(fmt.Sprintf("%d %s", i+1, step.Name)), plain(lines[0]), plain(seconds(step.ExpectedSeconds)), note})
		for _, l := range lines[1:] {
			rows = append(rows, []cell{{}, plain(l), {}, {}})
		}
		for _, t := range step.Touches {
			for j, l := range wrap(t, 48) {
				mark := "- "
				if j > 0 {
					mark = "  "
				}
				rows = append(rows, []cell{{}, plain(mark + l), {}, {}})
			}
		}
	}
	return rows
}

func lossWords(l api.Loss) string {
	switch {
	case l.Messages == 0 && l.Seconds == 0:
		return "none of what was acknowledged"
	case l.Messages < 0 || l.Seconds < 0:
		return "UNKNOWN: nobody can tell how much acknowledged work would be lost"
	}
	return fmt.Sprintf("%d ACKNOWLEDGED MESSAGES, of %d seconds", l.Messages, l.Seconds)
}

// blockers with the page of each.
func blockers(s *screen, all []api.Blocker) {
	if len(all) == 0 {
		return
	}
	s.line("")
	s.title("WHAT HOLDS IT BACK")
	for _, b := range all {
		note := ""
		if b.Waivable {
			note = " (can be waived: --break-glass)"
		}
		s.line("%s%s", s.tone(toneBad, "! "+b.Reason), note)
		for _, l := range wrap(b.Message, screenWidth-4) {
			s.line("    %s", l)
		}
		if page := pageCommand(b.Reason); page != "" {
			s.line("    what to do: %s", page)
		}
	}
}
