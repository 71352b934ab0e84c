// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// namesOperation says that the only argument is an existing operation's name rather than an action: it is no action, nor
// what comes near one, and written as names of resources are.
func namesOperation(args []string) bool {
	name := args[0]
	isAction := slices.ContainsFunc(actions, func(a action) bool { return strings.EqualFold(string(a.name), name) })
	return len(args) == 1 && !isAction && name == strings.ToLower(name) && len(nearest(name, actionNames())) == 0
}

// checkExisting refuses what an existing operation says itself.
func (r *request) checkExisting() error {
	var errs []error
	for _, f := range []struct {
		name  string
		given bool
	}{
		{"reason", r.reason != ""}, {flagPart, r.part != ""}, {flagInstance, r.instance != ""},
		{flagSupplier, r.supplier != ""}, {flagReplicas, r.replicas != 0}, {flagUnknown, r.unknown != ""},
	} {
		if f.given {
			errs = append(errs, fmt.Errorf("--%s has no meaning for an operation that exists: what it does cannot change; leave it out, or ask for another one", f.name))
		}
	}
	return errors.Join(append(errs, r.checkBreakGlass())...)
}

// continueOperation shows the plan of a dry run that was made before, and runs it.
func (a *app) continueOperation(ctx context.Context, name string, r *request, timeout time.Duration) error {
	s, o, me, err := a.openAs(ctx, name)
	if err != nil {
		return err
	}
	full := o.Namespace + "/" + o.Name
	switch {
	case o.Status.Phase.Ended():
		return wrong("Operation %s has ended already (%s): ask for another one. For the record: kubectl spine evidence %s", full, o.Status.Phase, full)
	case !isDryRun(o):
		return wrong("Operation %s is no dry run any more (%s). Follow it: kubectl spine watch %s", full, phaseWords(o), full)
	case o.Spec.RequestedBy != me:
		return wrong("%s asked for operation %s, and you are %s: only who asked may run it. Ask for one of your own.", o.Spec.RequestedBy, full, me)
	}
	return a.agree(ctx, s, o, r, timeout)
}

// agree waits for the plan of a dry run, shows it, and runs it when the person agrees.
func (a *app) agree(ctx context.Context, s *site, o *api.ServiceRecovery, r *request, timeout time.Duration) error {
	o, err := a.awaitPlan(ctx, s, o)
	if err != nil {
		return err
	}
	fmt.Fprint(a.words(), a.planScreen(o))
	if err := r.mayGoOn(o); err != nil || r.planOnly {
		if err == nil {
			fmt.Fprintf(a.words(), "\nNothing was changed. To run this plan: kubectl spine recover %s/%s\n", o.Namespace, o.Name)
		}
		return errors.Join(a.finalObject(o), err)
	}
	if !r.yes {
		if err := a.confirm(ctx, targetName(o), "run this plan", "Nothing was changed."); err != nil {
			return err
		}
	}
	if err := s.start(ctx, o, r.breakGlass); err != nil {
		return err
	}
	return a.watch(ctx, s, o, timeout)
}
