// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

func (a *app) abortCommand() *cobra.Command {
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "abort OPERATION",
		Short: "End an operation before its next step",
		Long: `Ends an operation before its next step, unless it has passed its point of no return; a step that
may be left half done is not waited for. What it has done stays done: read its evidence. Abort
cannot be taken back. Exit code 0: it was aborted or has ended well meanwhile; 2: it is too late,
it failed, or it has not ended in time.`,
		Example: `  kubectl spine abort restart-rolling-spine-x7k2p`,
		Args:    cobra.ExactArgs(1), ValidArgsFunction: a.completeOperation,
		RunE: func(c *cobra.Command, args []string) error {
			s, o, err := a.open(c.Context(), args[0])
			if err != nil {
				return err
			}
			if o.Status.Phase.Ended() {
				return wrong("Operation %s/%s has ended already: %s.", o.Namespace, o.Name, o.Status.Phase)
			}
			if step := beyondReturn(o); step != "" {
				return wrong("Too late: step %s has begun, and from there on the operation is carried out to its end. Watch it: kubectl spine watch %s/%s", step, o.Namespace, o.Name)
			}
			if err := s.patch(c.Context(), o, map[string]any{"abort": true}, "abort operation "+o.Namespace+"/"+o.Name); err != nil {
				return err
			}
			return a.watchAborted(c, s, o, timeout)
		},
	}
	addTimeout(c, &timeout)
	a.outputFlag(c, formatTable, formatJSON, formatYAML)
	return c
}

// watchAborted follows the operation to its end, of which being aborted is the good one.
func (a *app) watchAborted(c *cobra.Command, s *site, o *api.ServiceRecovery, timeout time.Duration) error {
	fmt.Fprintln(a.words(), "Asked to end before its next step.")
	aborted := false
	err := a.watchUntil(c.Context(), s, o, timeout, func(now *api.ServiceRecovery) bool {
		aborted = now.Status.Phase == api.PhaseAborted
		return now.Status.Phase.Ended()
	})
	if aborted {
		return nil
	}
	return err
}

// beyondReturn is the step that cannot be taken back and has begun; empty while there is none.
func beyondReturn(o *api.ServiceRecovery) string {
	if o.Status.Plan == nil || o.Status.Plan.PointOfNoReturn == "" {
		return ""
	}
	for _, step := range o.Status.Steps {
		if step.Name == o.Status.Plan.PointOfNoReturn && step.State != api.StepPending {
			return step.Name
		}
	}
	return ""
}
