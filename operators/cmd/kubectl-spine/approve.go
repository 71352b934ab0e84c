// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// approval is what the command line asks for.
type approval struct {
	digest, reason string
	validFor       time.Duration
	yes            bool
}

var digestPattern = regexp.MustCompile(`^sha256:[a-f0-9]{64}$`)

func (a *app) approveCommand() *cobra.Command {
	r := &approval{}
	c := &cobra.Command{
		Use:   "approve OPERATION --digest DIGEST",
		Short: "Agree to another person's operation, for exactly the plan with this digest",
		Long: `Shows the plan, and agrees to it as you. You cannot approve what you asked for yourself. Read the
plan and its digest with: kubectl spine evidence OPERATION. A plan that changes needs another approval.`,
		Example: `  kubectl spine approve rebuild-broker-spine-x7k2p \
    --digest sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeOperation,
		RunE: func(c *cobra.Command, args []string) error {
			if err := r.check(); err != nil {
				return err
			}
			if !a.terminal && !r.yes {
				return errors.New("there is no terminal to ask you at: give --yes to approve the plan with this digest")
			}
			return a.approve(c.Context(), args[0], r)
		},
	}
	f := c.Flags()
	f.StringVar(&r.digest, "digest", "", "digest of the plan that you agree to: sha256:...")
	f.StringVar(&r.reason, "reason", "", "for the record: at most 500 characters")
	f.DurationVar(&r.validFor, "valid-for", time.Hour, "how long the approval holds: at most 24h")
	f.BoolVar(&r.yes, "yes", false, "approve without being asked")
	a.outputFlag(c, formatTable, formatJSON, formatYAML)
	return c
}

func (r *approval) check() error {
	var errs []error
	if !digestPattern.MatchString(r.digest) {
		errs = append(errs, fmt.Errorf("--digest: %q is not a plan's digest, sha256: and 64 hexadecimal digits: copy it from the plan that you have read", r.digest))
	}
	if r.validFor < time.Minute || r.validFor > 24*time.Hour {
		errs = append(errs, fmt.Errorf("--valid-for: %s is not between 1m and 24h", r.validFor))
	}
	if len(r.reason) > maxReason {
		errs = append(errs, fmt.Errorf("--reason has more than %d characters", maxReason))
	}
	return errors.Join(errs...)
}

func (a *app) approve(ctx context.Context, name string, r *approval) error {
	s, o, me, err := a.openAs(ctx, name)
	if err != nil {
		return err
	}
	fmt.Fprint(a.words(), a.planScreen(o))
	switch {
	case o.Status.Phase.Ended():
		return wrong("\nThe operation has ended already (%s): there is nothing to approve.", o.Status.Phase)
	case o.Status.Plan == nil:
		return wrong("\nThe operation has no plan: there is nothing to approve.")
	case o.Status.Plan.Digest != r.digest:
		return wrong("\nThis is not the plan that you mean: its digest is %s. Read it, and approve that one.", o.Status.Plan.Digest)
	case o.Spec.RequestedBy == me:
		return wrong("\nYou (%s) asked for this operation yourself: another person has to approve it.", me)
	}
	if !r.yes {
		if err := a.confirm(ctx, targetName(o), "approve this plan", "Nothing was approved."); err != nil {
			return err
		}
	}
	made, err := s.approve(ctx, o, me, r, a.now())
	if err != nil {
		return err
	}
	fmt.Fprintf(a.words(), "\nApproved as %s until %s: %s/%s\n", me, made.Spec.ExpiresAt.UTC().Format("15:04:05 UTC on 2 January 2006"), made.Namespace, made.Name)
	if a.structured() {
		made.APIVersion, made.Kind = api.GroupVersion.String(), "Approval"
		return a.encode(a.out, a.output, made)
	}
	return nil
}

func (s *site) approve(ctx context.Context, o *api.ServiceRecovery, me string, r *approval, now time.Time) (*api.Approval, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	v := &api.Approval{Spec: api.ApprovalSpec{
		Operation:  api.OperationRef{Kind: kindOf(o), Name: o.Name},
		PlanDigest: r.digest, Approver: me, Requester: o.Spec.RequestedBy,
		ExpiresAt: metav1.NewTime(now.Add(r.validFor).UTC().Truncate(time.Second)), Reason: strings.TrimSpace(r.reason),
	}}
	v.Namespace, v.GenerateName = o.Namespace, cutOperation(o.Name)+"-"
	return v, s.explain(s.client.Create(ctx, v), "create Approvals in "+o.Namespace)
}

func cutOperation(name string) string { return strings.Trim(name[:min(len(name), 200)], "-.") }
