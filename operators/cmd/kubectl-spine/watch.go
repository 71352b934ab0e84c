// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

func (a *app) watchCommand() *cobra.Command {
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "watch OPERATION",
		Short: "Follow an operation's steps until it ends",
		Long: `Writes a line whenever something about the operation changes, until it ends. Ctrl-C ends the
watching, not the operation. Exit code 0: it succeeded, or is a dry run with a plan; 2: it failed, was
aborted, is blocked, or has not ended in time.`,
		Example: `  kubectl spine watch restart-rolling-spine-x7k2p
  kubectl spine watch spine-messaging/restart-rolling-spine-x7k2p --timeout 10m`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeOperation,
		RunE: func(c *cobra.Command, args []string) error {
			s, o, err := a.open(c.Context(), args[0])
			if err != nil {
				return err
			}
			return a.watch(c.Context(), s, o, timeout)
		},
	}
	addTimeout(c, &timeout)
	a.outputFlag(c, formatTable, formatJSON, formatYAML)
	return c
}

// open connects to the site and finds an operation there.
func (a *app) open(ctx context.Context, name string) (*site, *api.ServiceRecovery, error) {
	s, err := a.connect("")
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	o, err := s.find(ctx, a.namespace(), name)
	return s, o, err
}

// openAs is open, and says who the site takes the caller for.
func (a *app) openAs(ctx context.Context, name string) (*site, *api.ServiceRecovery, string, error) {
	s, o, err := a.open(ctx, name)
	if err != nil {
		return nil, nil, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	me, err := s.whoami(ctx)
	return s, o, me, err
}

// watch follows an operation to its end and says how it ended.
func (a *app) watch(ctx context.Context, s *site, o *api.ServiceRecovery, timeout time.Duration) error {
	return a.watchUntil(ctx, s, o, timeout, over)
}

func (a *app) watchUntil(ctx context.Context, s *site, o *api.ServiceRecovery, timeout time.Duration, over func(*api.ServiceRecovery) bool) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	t := &trace{app: a}
	last := o
	end, err := s.follow(ctx, o, func(now *api.ServiceRecovery) bool {
		last = now
		t.show(now)
		return over(now)
	})
	if err != nil && stopped(err) {
		return wrong("Watching ended, the operation goes on (%s). Go on watching: kubectl spine watch %s/%s; end it before its next step: kubectl spine abort %s/%s",
			phaseWords(last), o.Namespace, o.Name, o.Namespace, o.Name)
	} else if err != nil {
		return err
	}
	if err := a.finalObject(end); err != nil {
		return err
	}
	return verdict(end)
}

// over says that nothing more will happen: it ended, or is a dry run that was planned or
// held back, or waits for a plan that will not come back.
func over(o *api.ServiceRecovery) bool {
	if o.Status.Phase.Ended() {
		return true
	}
	if o.Status.ObservedGeneration < o.Generation {
		return false
	}
	switch o.Status.Phase {
	case api.PhasePlanned:
		return isDryRun(o)
	case api.PhaseBlocked:
		return isDryRun(o) || hasBlocker(o, api.ReasonPlanChanged)
	}
	return false
}

func hasBlocker(o *api.ServiceRecovery, reason string) bool {
	for _, b := range o.Status.Blockers {
		if b.Reason == reason {
			return true
		}
	}
	return false
}

// verdict is nil when the operation ended well.
func verdict(o *api.ServiceRecovery) error {
	record := fmt.Sprintf("For the record: kubectl spine evidence %s/%s", o.Namespace, o.Name)
	switch o.Status.Phase {
	case api.PhaseSucceeded, api.PhasePlanned:
		return nil
	case api.PhaseFailed:
		return wrong("The operation failed%s. %s", pageOf(failureReason(o)), record)
	case api.PhaseAborted:
		return wrong("The operation was aborted. %s", record)
	}
	return wrong("The operation is blocked: nothing was changed.")
}

// trace writes what changed since it last looked, one line each.
type trace struct {
	*app
	phase, waits string
	steps        map[string]api.StepStatus
	blockers     map[string]string
}

func (t *trace) show(o *api.ServiceRecovery) {
	if t.steps == nil {
		t.steps, t.blockers = map[string]api.StepStatus{}, map[string]string{}
	}
	for i, step := range o.Status.Steps {
		before := t.steps[step.Name]
		if step.State == api.StepPending || before.State == step.State && before.Message == step.Message {
			continue
		}
		t.steps[step.Name] = step
		t.say(stateTone(step.State), string(step.State), fmt.Sprintf("%d/%d %s", i+1, len(o.Status.Steps), step.Name), stepWords(step))
	}
	now := map[string]string{}
	for _, b := range o.Status.Blockers {
		if o.Status.Phase.Ended() {
			break // the step and the phase say why
		}
		now[b.Reason] = b.Message
		if t.blockers[b.Reason] != b.Message {
			t.say(toneBad, "Held back", b.Reason, b.Message+pageOf(b.Reason))
		}
	}
	t.blockers = now
	message := o.Status.Message
	if len(now) > 0 {
		message = "" // the blockers' own
	}
	if phase := phaseWords(o); phase != t.phase || message != t.waits {
		t.phase, t.waits = phase, message
		t.say(phaseTone(o.Status.Phase), phase, "", message)
		if o.Status.Phase == api.PhaseBlocked && !over(o) {
			t.say("", "", "", fmt.Sprintf("it begins by itself when that is over; to take it back: kubectl spine abort %s/%s", o.Namespace, o.Name))
		}
		if o.Status.Phase == api.PhaseAwaitingApproval && o.Status.Plan != nil {
			t.say("", "", "", fmt.Sprintf("another person approves with: kubectl spine approve %s/%s --digest %s", o.Namespace, o.Name, o.Status.Plan.Digest))
		}
	}
}

func stepWords(step api.StepStatus) string {
	if step.EndedAt != nil && step.StartedAt != nil {
		return fmt.Sprintf("%s (%s)", step.Message, short(step.EndedAt.Sub(step.StartedAt.Time)))
	}
	return step.Message
}

// say writes one line, behind the time and a word for what it is.
func (t *trace) say(tone, word, name, text string) {
	s := &screen{color: t.color}
	if name != "" && text != "" {
		text = name + ": " + text
	} else {
		text = name + text
	}
	s.line("%s  %s  %s", t.now().UTC().Format("15:04:05"), s.tone(tone, fmt.Sprintf("%-16s", word)), text)
	fmt.Fprint(t.words(), s.String())
}

func stateTone(state api.StepState) string {
	switch state {
	case api.StepSucceeded:
		return toneGood
	case api.StepFailed:
		return toneBad
	}
	return ""
}

func phaseTone(phase api.Phase) string {
	switch phase {
	case api.PhaseSucceeded:
		return toneGood
	case api.PhaseFailed, api.PhaseAborted, api.PhaseBlocked:
		return toneBad
	}
	return ""
}
