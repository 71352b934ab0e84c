// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"spine.nhs.uk/controlplane/infra/audit/engine"
	"spine.nhs.uk/controlplane/infra/cost"
	"spine.nhs.uk/controlplane/infra/policy"
)

// Context is what a report needs besides what the engine wrote.
type Context struct {
	Book    *cost.Book
	Rules   []policy.Rule
	Secrets *Secrets
	// Now judges waivers where the input does not say when it was made.
	Now time.Time
}

// environmentKey is the key of the stack's configuration that holds the environment, waivers among it.
const environmentKey = "spine:environment"

// FromPreview reports what an update would do.
func FromPreview(p *engine.Preview, c Context) Environment {
	env := Environment{Name: p.Stack, Project: p.Project, Time: stamp(p.Time)}
	c.Secrets.Public(p.Stack, p.Project)
	env.Difference = Build(p.Steps, c.Book, c.Secrets)
	labels := map[string]string{}
	for _, s := range p.Steps {
		labels[s.URN] = c.Secrets.Name(labelOf(s.Resource))
	}
	env.Rules = judge(p, c, labels)
	env.Messages = messages(p, c, labels)
	if p.Failed {
		env.Error = "the preview failed: what follows is not all that would change"
	}
	if p.Unread > 0 {
		env.Messages = append(env.Messages, Message{Level: "warning",
			Text: fmt.Sprintf("%d events are of kinds that this version does not know: use the newest stackdiff", p.Unread)})
	}
	return env
}

// FromOperation reports what a "destroy" or a "refresh" would do. What rules have against things that it leaves as they
// are is nothing against it.
func FromOperation(operation string, p *engine.Preview, c Context) Environment {
	env := FromPreview(p, c)
	env.Operation = operation
	changed := map[string]bool{}
	for _, change := range env.Difference.Changes {
		changed[change.URN] = true
	}
	env.Rules.Findings = slices.DeleteFunc(env.Rules.Findings, func(f Finding) bool { return !changed[f.URN] })
	env.Rules.Blocks = slices.ContainsFunc(env.Rules.Findings, func(f Finding) bool { return f.Blocks() })
	return env
}

func judge(p *engine.Preview, c Context, labels map[string]string) *Rules {
	at := p.Time
	if at.IsZero() {
		at = c.Now
	}
	out := &Rules{Count: len(c.Rules), Findings: []Finding{}, Waivers: []policy.WaiverUse{}}
	waivers, err := policy.DecodeWaivers([]byte(p.Config[environmentKey]))
	if err != nil {
		out.Others = append(out.Others, Message{Level: "error", Text: err.Error()})
	}
	stack := policy.Stack{Environment: policy.Environment{Project: p.Project, Stack: p.Stack}, Resources: p.Resources()}
	report := policy.Judge(c.Rules, stack, waivers, at)
	out.Blocks, out.Waivers = report.Blocks(), report.Waivers
	own := map[string]bool{"waivers": true}
	for _, r := range c.Rules {
		own[r.Name] = true
	}
	for _, r := range report.Results {
		resource := labels[r.URN]
		r.Message, r.URN, r.Property = c.Secrets.Text(r.Message), c.Secrets.Name(r.URN), c.Secrets.Name(r.Property)
		out.Findings = append(out.Findings, Finding{Resource: resource, Result: r})
	}
	for _, v := range p.Violations {
		if own[v.Rule] {
			continue // Judged above, from the same values.
		}
		level := "warning"
		if v.Mandatory {
			level, out.Blocks = "error", true
		}
		out.Others = append(out.Others, Message{Level: level, Resource: labels[v.URN], Text: c.Secrets.Text(v.Pack + ", " + v.Rule + ": " + v.Message)})
	}
	return out
}

// messages are errors first, each once: a program that looks twice says it twice.
func messages(p *engine.Preview, c Context, labels map[string]string) []Message {
	var out []Message
	for _, d := range p.Diagnostics {
		m := Message{Level: d.Severity, Resource: labels[d.URN], Text: c.Secrets.Text(d.Message)}
		if !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	levels := []string{"error", "warning"}
	slices.SortStableFunc(out, func(a, b Message) int {
		at := func(m Message) int {
			if i := slices.Index(levels, m.Level); i >= 0 {
				return i
			}
			return len(levels)
		}
		return cmp.Or(at(a)-at(b), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Text, b.Text))
	})
	return out
}

// FromDrift reports what differs from what was applied. Last is the last update or refresh that succeeded, when what is
// there was known to be what was applied; nil when the backend has no record of one.
func FromDrift(p *engine.Preview, last *engine.Update, c Context) Environment {
	env := FromPreview(p, c)
	env.Rules = nil // Rules judge what is planned.
	if p.Failed {
		env.Error = "the check failed: there may be further drift"
	}
	env.Since = "the last update; when that was is not on record here"
	if last != nil {
		env.Since = fmt.Sprintf("%s, the end of %s %d", stamp(last.Ended), last.Kind, last.Number)
	}
	return env
}

// FromHistory reports what updates did, the newest first.
func FromHistory(stack, project string, updates []engine.Update, c Context) Environment {
	env := Environment{Name: stack, Project: project, Updates: []Update{}}
	c.Secrets.Public(stack, project)
	for _, u := range slices.Backward(updates) {
		out := Update{Number: u.Number, Kind: u.Kind, Result: u.Result, Started: stamp(u.Started), Message: c.Secrets.Text(u.Message),
			Who: c.Secrets.Known(who(u)), Commit: c.Secrets.Known(u.Commit)}
		switch {
		case u.Commit == "":
			out.Commit = "unknown: it was not run from a checkout"
		case u.Dirty:
			out.Commit += " with changes that were not committed"
		}
		if !u.Ended.IsZero() {
			out.Seconds = int64(u.Ended.Sub(u.Started).Seconds())
		}
		out.Unjudged = u.Unjudged
		if u.After != nil {
			out.Difference = Build(engine.Compare(u.Before, u.After), c.Book, c.Secrets)
		} else {
			out.Comments = "the backend has no state from after it: what it changed is unknown"
		}
		env.Updates = append(env.Updates, out)
	}
	return env
}

// who is as far as a self-managed backend knows it.
func who(u engine.Update) string {
	if u.Author == "" && u.Committer == "" {
		return "not recorded by this backend"
	}
	if u.Author == u.Committer || u.Committer == "" {
		return "not recorded by this backend; the commit is by " + u.Author
	}
	return fmt.Sprintf("not recorded by this backend; the commit is by %s, committed by %s", u.Author, u.Committer)
}
