// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// planTimeout is how long the manager may take for a plan.
const planTimeout = time.Minute

func (a *app) recoverCommand() *cobra.Command {
	r := &request{}
	var timeout time.Duration
	long := `Makes a plan, shows it, asks for your agreement, runs exactly that plan, and watches.
The operation is a ServiceRecovery resource in the service's namespace (a host's: spine-system).

Actions:
`
	for _, x := range actions {
		long += fmt.Sprintf("  %-19s%s\n", x.name, x.does)
	}
	c := &cobra.Command{
		Use:   "recover ACTION [TARGET] --reason REASON | OPERATION",
		Short: "Plan a recovery, show what it will do and lose, and run it when you agree",
		Long: long + "\nTARGET is a host, or a service as NAME or NAMESPACE/NAME; it may be left out when there is only one.\n" +
			"OPERATION is a dry run that you made before, as NAME or NAMESPACE/NAME: its plan is shown again, and run.",
		Example: `  # Restart the gateways one after the other
  kubectl spine recover RestartRolling spine --part Gateway --reason 'INC0012345: memory grows'

  # Only the plan: nothing is changed
  kubectl spine recover RebuildBroker spine --dry-run --reason 'INC0012345: two volumes damaged'

  # Run a plan that was made before
  kubectl spine recover rebuild-broker-spine-x7k2p

  # Switch a host off, without a terminal
  kubectl spine recover FenceHost b --yes --reason 'INC0012345: silent, its pods hang'

  # At a site that another one took over from: make its database a standby anew
  kubectl spine recover ResyncStandby spine --reason 'INC0012345: the site is back'

  # After a mistake: the ledger as it was at 14:05, with every message since
  kubectl spine recover RestoreDatabase spine --to 2026-11-22T14:05:00Z --reason 'INC0012345: rows deleted'

  # The same of bookings; who has lost a slot to another patient since is then on the worklist
  kubectl spine recover RestoreDatabase ers --to 2026-11-22T14:05:00Z --reason 'INC0012345: rows deleted'

  # Stop deliveries to a supplier, outside the change window
  kubectl spine recover QuarantineSupplier spine --supplier example-pharmacy \
    --reason 'INC0012345: poison messages' --break-glass 'agreed by the duty manager'`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: a.completeRecover,
		RunE: func(c *cobra.Command, args []string) error {
			existing := namesOperation(args)
			err := r.checkExisting()
			if !existing {
				err = r.check(args)
			}
			if err != nil {
				return err
			}
			if !a.terminal && !r.yes && !r.planOnly {
				return errors.New("there is no terminal to ask you at: give --yes to run the plan as it is made, or --dry-run to make it only")
			}
			if existing {
				return a.continueOperation(c.Context(), args[0], r, timeout)
			}
			return a.recover(c.Context(), r, timeout)
		},
	}
	f := c.Flags()
	f.StringVar(&r.reason, "reason", "", "for the record: what is wrong, with the number of the incident or change")
	f.StringVar(&r.part, flagPart, "", "part that RestartRolling restarts: "+oneOf(parts))
	f.StringVar(&r.instance, flagInstance, "", "member of the database or the broker that RebuildReplica throws away, e.g. spine-db-2")
	f.StringVar(&r.supplier, flagSupplier, "", "supplier, by its name in the service's specification")
	f.Int32Var(&r.replicas, flagReplicas, 0, "replicas that ScaleOut runs: 2 to 20")
	f.StringVar(&r.to, flagTo, "", "time whose state of the database RestoreDatabase brings back, e.g. 2026-11-22T14:05:00Z")
	f.StringVar(&r.unknown, flagUnknown, "", "reason for throwing away what was acknowledged at this site alone (ResyncStandby)")
	f.StringVar(&r.breakGlass, "break-glass", "", "reason for going on without the approval or the change window that is missing; it is recorded, and told as a warning")
	f.BoolVar(&r.planOnly, "dry-run", false, "make and show the plan only")
	f.BoolVar(&r.yes, "yes", false, "agree to the plan without being asked")
	addTimeout(c, &timeout)
	a.outputFlag(c, formatTable, formatJSON, formatYAML)
	_ = c.RegisterFlagCompletionFunc(flagPart, cobra.FixedCompletions(parts, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc(flagSupplier, a.completeSupplier)
	return c
}

func (a *app) recover(ctx context.Context, r *request, timeout time.Duration) error {
	s, err := a.connect("")
	if err != nil {
		return err
	}
	o, err := a.dryRun(ctx, s, r)
	if err != nil {
		return err
	}
	return a.agree(ctx, s, o, r, timeout)
}

// dryRun creates the operation, which changes nothing yet.
func (a *app) dryRun(ctx context.Context, s *site, r *request) (*api.ServiceRecovery, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	me, err := s.whoami(ctx)
	if err != nil {
		return nil, err
	}
	namespace, service, host, err := r.resolve(ctx, s, a.namespace())
	if err != nil {
		return nil, err
	}
	o := r.build(me, namespace, service, host)
	if err := s.client.Create(ctx, o); err != nil {
		return nil, s.explain(err, "create ServiceRecoveries in "+namespace)
	}
	fmt.Fprintf(a.words(), "Planning %s/%s ...\n", o.Namespace, o.Name)
	return o, nil
}

// awaitPlan waits until the manager has planned the operation as it is now, or is held back.
func (a *app) awaitPlan(ctx context.Context, s *site, o *api.ServiceRecovery) (*api.ServiceRecovery, error) {
	ctx, cancel := context.WithTimeout(ctx, planTimeout)
	defer cancel()
	planned, err := s.follow(ctx, o, func(o *api.ServiceRecovery) bool {
		phase := o.Status.Phase
		return o.Status.ObservedGeneration >= o.Generation && phase != "" && phase != api.PhasePlanning
	})
	if errors.Is(err, context.Canceled) {
		return nil, fmt.Errorf("interrupted: operation %s/%s stays a dry run, nothing was changed", o.Namespace, o.Name)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("operation %s/%s has no plan after %s: the manager may not run; nothing was changed. What to do: %s",
			o.Namespace, o.Name, planTimeout, pageCommand(api.ReasonStateUnknown))
	}
	return planned, err
}

// mayGoOn refuses what the dry run was held back by. A missing approval is waited for; with
// a break-glass reason, whatever can be waived is.
func (r *request) mayGoOn(o *api.ServiceRecovery) error {
	var held []string
	for _, b := range o.Status.Blockers {
		waits := b.Reason == api.ReasonApprovalMissing || b.Reason == api.ReasonApprovalExpired
		if !waits && !(b.Waivable && r.breakGlass != "") {
			held = append(held, b.Reason)
		}
	}
	switch {
	case len(held) > 0:
		return wrong("\nBlocked by %s: nothing was changed.", strings.Join(held, ", "))
	case o.Status.Plan == nil:
		return wrong("\nThere is no plan (%s): nothing was changed.", orDash(o.Status.Message))
	}
	return nil
}

// start turns the dry run into the real run of the plan that was shown.
func (s *site) start(ctx context.Context, o *api.ServiceRecovery, breakGlass string) error {
	spec := map[string]any{"dryRun": false, "planDigest": o.Status.Plan.Digest}
	if breakGlass != "" {
		spec["breakGlass"] = map[string]any{"reason": breakGlass}
	}
	return s.patch(ctx, o, spec, "start operation "+o.Namespace+"/"+o.Name)
}

// patch changes the operation's spec and leaves the result in o.
func (s *site) patch(ctx context.Context, o *api.ServiceRecovery, spec map[string]any, doing string) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	body, err := json.Marshal(map[string]any{"spec": spec})
	if err != nil {
		return err
	}
	patch := client.RawPatch(types.MergePatchType, body)
	if kindOf(o) != kindFailover {
		return s.explain(s.client.Patch(ctx, o, patch), doing)
	}
	f := &api.Failover{ObjectMeta: o.ObjectMeta}
	if err := s.client.Patch(ctx, f, patch); err != nil {
		return s.explain(err, doing)
	}
	*o = *seen(f)
	return nil
}

// namespace that was asked for by flag; empty otherwise: the kubeconfig's own default
// namespace has nothing to do with where services are.
func (a *app) namespace() string {
	if a.flags.Namespace == nil {
		return ""
	}
	return *a.flags.Namespace
}

// finalObject writes the operation for programs that asked for it.
func (a *app) finalObject(o *api.ServiceRecovery) error {
	if !a.structured() {
		return nil
	}
	if kindOf(o) == kindFailover {
		return a.finalMove(o)
	}
	o.APIVersion, o.Kind, o.ManagedFields = api.GroupVersion.String(), kindOf(o), nil
	return a.encode(a.out, a.output, o)
}

// addTimeout adds --timeout, the longest that a command watches.
func addTimeout(c *cobra.Command, timeout *time.Duration) {
	c.Flags().DurationVar(timeout, "timeout", time.Hour, "stop watching after this time, with exit code 2; the operation goes on")
}
