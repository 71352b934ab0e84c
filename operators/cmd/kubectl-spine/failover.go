// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/utils/ptr"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// move is what the command line asks of two sites.
type move struct {
	request
	mode              api.FailoverMode
	messages, seconds int64
}

var modes = []string{string(api.FailoverPlanned), string(api.FailoverUnplanned)}

func (a *app) failoverCommand() *cobra.Command {
	m := &move{}
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "failover Planned|Unplanned --reason REASON",
		Short: "Move all services to this site, when you agree to the plan",
		Long: `Makes a plan, shows it, asks for your agreement, runs exactly that plan, and watches. The operation is
a Failover resource in spine-system of the site that is to serve: choose that site with --context.

  Planned    the other site stops and hands over; nothing is lost; both sites have to answer
  Unplanned  this site takes over once the other one cannot serve any more; what this site never
             received is lost, as far as --max-loss-messages and --max-loss-seconds allow`,
		Example: `  # Only the plan: nothing is changed
  kubectl spine failover Planned --context site-b --dry-run --reason 'CHG0012345: maintenance of site a'

  # The other site is lost
  kubectl spine failover Unplanned --context site-b --reason 'INC0012345: site a has no power'

  # Nobody can tell what is lost, and that was agreed to
  kubectl spine failover Unplanned --max-loss-seconds 60 --accept-unknown-loss 'agreed by the duty manager' \
    --reason 'INC0012345: site a has no power'`,
		Args:      cobra.ExactArgs(1),
		ValidArgs: modes,
		RunE: func(c *cobra.Command, args []string) error {
			if err := m.check(args[0]); err != nil {
				return err
			}
			if !a.terminal && !m.yes && !m.planOnly {
				return errors.New("there is no terminal to ask you at: give --yes to run the plan as it is made, or --dry-run to make it only")
			}
			return a.failover(c.Context(), m, timeout)
		},
	}
	f := c.Flags()
	f.StringVar(&m.reason, "reason", "", "for the record: what is wrong, with the number of the incident or change")
	f.Int64Var(&m.messages, "max-loss-messages", 0, "how many acknowledged messages may be lost, for Unplanned")
	f.Int64Var(&m.seconds, "max-loss-seconds", 0, "how many seconds of acknowledged work may be lost, for Unplanned")
	f.StringVar(&m.unknown, flagUnknown, "", "reason for going on although nobody can tell what is lost, for Unplanned")
	f.StringVar(&m.breakGlass, "break-glass", "", "reason for going on without the approval or the change window that is missing; it is recorded, and told as a warning")
	f.BoolVar(&m.planOnly, "dry-run", false, "make and show the plan only")
	f.BoolVar(&m.yes, "yes", false, "agree to the plan without being asked")
	addTimeout(c, &timeout)
	a.outputFlag(c, formatTable, formatJSON, formatYAML)
	return c
}

// check says everything that is wrong with the request at once, and completes it.
func (m *move) check(mode string) error {
	var errs []error
	for _, known := range modes {
		if strings.EqualFold(known, mode) {
			m.mode = api.FailoverMode(known)
		}
	}
	if m.mode == "" {
		errs = append(errs, unknown("mode", mode, modes))
	}
	if m.mode == api.FailoverPlanned && (m.messages != 0 || m.seconds != 0 || m.unknown != "") {
		errs = append(errs, errors.New("--max-loss-messages, --max-loss-seconds and --accept-unknown-loss have no meaning for Planned, which loses nothing: leave them out"))
	}
	if m.messages < 0 || m.messages > 1e9 {
		errs = append(errs, fmt.Errorf("--max-loss-messages: %d is not between 0 and 1000000000", m.messages))
	}
	if m.seconds < 0 || m.seconds > 31536000 {
		errs = append(errs, fmt.Errorf("--max-loss-seconds: %d is not between 0 and 31536000", m.seconds))
	}
	if n := len(strings.TrimSpace(m.reason)); n < minReason || n > maxReason {
		errs = append(errs, fmt.Errorf("--reason is needed for the record, %d to %d characters: what is wrong, with the number of the incident or change", minReason, maxReason))
	}
	return errors.Join(append(errs, m.checkUnknown(), m.checkBreakGlass())...)
}

// build makes the operation's resource: always a dry run.
func (m *move) build(requester string, to common.SiteName) *api.Failover {
	o := &api.Failover{}
	o.Namespace, o.GenerateName = systemNamespace, strings.ToLower(string(m.mode))+"-"+string(to)+"-"
	o.Spec = api.FailoverSpec{
		OperationSpec: api.OperationSpec{RequestedBy: requester, Reason: strings.TrimSpace(m.reason), DryRun: ptr.To(true)},
		Mode:          m.mode, To: to,
	}
	if m.messages != 0 || m.seconds != 0 {
		o.Spec.MaxLoss = &api.LossLimit{Messages: m.messages, Seconds: m.seconds}
	}
	if m.unknown != "" {
		o.Spec.AcceptUnknownLoss = &api.AcceptUnknownLoss{Reason: strings.TrimSpace(m.unknown)}
	}
	return o
}

func (a *app) failover(ctx context.Context, m *move, timeout time.Duration) error {
	s, err := a.connect("")
	if err != nil {
		return err
	}
	o, err := a.plannedMove(ctx, s, m)
	if err != nil {
		return err
	}
	return a.agree(ctx, s, o, &m.request, timeout)
}

// plannedMove creates the operation, which changes nothing yet.
func (a *app) plannedMove(ctx context.Context, s *site, m *move) (*api.ServiceRecovery, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	me, err := s.whoami(ctx)
	if err != nil {
		return nil, err
	}
	var policies api.FailoverPolicyList
	if err := s.listAll(ctx, &policies); err != nil {
		return nil, s.explain(err, "list FailoverPolicies")
	}
	if len(policies.Items) == 0 {
		return nil, errors.New("this site has no FailoverPolicy: it is not one of two")
	}
	o := m.build(me, policies.Items[0].Spec.Site)
	if err := s.client.Create(ctx, o); err != nil {
		return nil, s.explain(err, "create Failovers in "+o.Namespace)
	}
	fmt.Fprintf(a.words(), "Planning %s/%s ...\n", o.Namespace, o.Name)
	return seen(o), nil
}
