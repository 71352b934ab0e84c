// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// action is what a person has to say for one action.
type action struct {
	name api.Action
	// does is a sentence for the list of actions.
	does string
	// flag that it needs besides its target; empty for none.
	flag string
	// messagingOnly: a BookingService has no broker and no suppliers.
	messagingOnly bool
}

const (
	flagPart     = "part"
	flagInstance = "instance"
	flagSupplier = "supplier"
	flagReplicas = "replicas"
	flagTo       = "to"
	flagUnknown  = "accept-unknown-loss"
)

var actions = []action{
	{api.ActionRestartRolling, "restart a part's members one after the other", flagPart, false},
	{api.ActionRebuildBroker, "throw the broker's members and volumes away, and dispatch again from the ledger", "", true},
	{api.ActionRebuildReplica, "throw one standby of the database, or one member of the broker, away and have it anew", flagInstance, false},
	{api.ActionReplayDeadLetters, "put a supplier's dead letters back on their way", flagSupplier, true},
	{api.ActionQuarantineSupplier, "stop deliveries to a supplier; messages for it are kept", flagSupplier, true},
	{api.ActionReleaseSupplier, "start deliveries to a supplier again", flagSupplier, true},
	{api.ActionScaleOut, "run more replicas of the service's own program", flagReplicas, false},
	{api.ActionCompareSites, "list what a site that lost its vote holds, and the one that serves does not", "", false},
	{api.ActionResyncStandby, "throw the database of a site that does not serve away and copy the other site's", "", false},
	{api.ActionRestoreDatabase, "go on with the database as it was at a time, and with all that was accepted since", flagTo, false},
	{api.ActionDrainHost, "move everything off a host, for planned work", "", false},
	{api.ActionReturnHost, "take a host back into service", "", false},
	{api.ActionFenceHost, "switch a host off by its BMC and release its pods and volumes", "", false},
}

func actionNames() []string {
	var out []string
	for _, a := range actions {
		out = append(out, string(a.name))
	}
	return out
}

// request is what the command line asks for, before any site is asked.
type request struct {
	action
	// target as given: a host, or a service as NAME, KIND/NAME or NAMESPACE/NAME; may be empty.
	target                   string
	part, instance, supplier string
	// to is the time whose state is to be brought back, as given; at is the time that it is.
	to       string
	at       metav1.Time
	replicas int32
	// unknown is why the loss of what nobody can name is accepted.
	unknown       string
	reason        string
	breakGlass    string
	yes, planOnly bool
}

var parts = []string{string(api.PartDatabase), string(api.PartBroker), string(api.PartGateway), string(api.PartService)}

// Lengths that the API takes for reasons.
const minReason, maxReason = 8, 500

// check says everything that is wrong with the request at once, and completes it from the
// arguments.
func (r *request) check(args []string) error {
	i := slices.IndexFunc(actions, func(a action) bool { return strings.EqualFold(string(a.name), args[0]) })
	if i < 0 {
		return unknown("action", args[0], actionNames())
	}
	r.action = actions[i]
	if len(args) > 1 {
		r.target = args[1]
	}
	var errs []error
	given := map[string]bool{flagPart: r.part != "", flagInstance: r.instance != "", flagSupplier: r.supplier != "", flagReplicas: r.replicas != 0, flagTo: r.to != ""}
	for _, flag := range []string{flagPart, flagInstance, flagSupplier, flagReplicas, flagTo} {
		switch {
		case flag == r.flag && !given[flag]:
			errs = append(errs, fmt.Errorf("--%s is needed by %s", flag, r.name))
		case flag != r.flag && given[flag]:
			errs = append(errs, fmt.Errorf("--%s has no meaning for %s: leave it out", flag, r.name))
		}
	}
	if r.part != "" {
		p := slices.IndexFunc(parts, func(p string) bool { return strings.EqualFold(p, r.part) })
		if p < 0 {
			errs = append(errs, fmt.Errorf("--part: %w", unknown("part", r.part, parts)))
		} else {
			r.part = parts[p]
		}
	}
	if given[flagReplicas] && (r.replicas < 2 || r.replicas > 20) {
		errs = append(errs, fmt.Errorf("--replicas: %d is not between 2 and 20", r.replicas))
	}
	if r.to != "" {
		at, err := time.Parse(time.RFC3339, r.to)
		if err != nil {
			errs = append(errs, fmt.Errorf("--to: %q is no time: give it as 2026-11-22T14:05:00Z", r.to))
		}
		r.at = metav1.NewTime(at)
	}
	if r.unknown != "" && r.name != api.ActionResyncStandby {
		errs = append(errs, fmt.Errorf("--%s has no meaning for %s: leave it out", flagUnknown, r.name))
	}
	if r.name.OnHost() && r.target == "" {
		errs = append(errs, fmt.Errorf("%s needs the name of a host: kubectl spine recover %s HOST", r.name, r.name))
	}
	if n := len(strings.TrimSpace(r.reason)); n < minReason || n > maxReason {
		errs = append(errs, fmt.Errorf("--reason is needed for the record, %d to %d characters: what is wrong, with the number of the incident or change", minReason, maxReason))
	}
	return errors.Join(append(errs, r.checkUnknown(), r.checkBreakGlass())...)
}

func (r *request) checkUnknown() error {
	if n := len(strings.TrimSpace(r.unknown)); n > 0 && (n < minReason || n > maxReason) {
		return fmt.Errorf("--%s takes the reason for it, %d to %d characters", flagUnknown, minReason, maxReason)
	}
	return nil
}

func (r *request) checkBreakGlass() error {
	if n := len(strings.TrimSpace(r.breakGlass)); n > 0 && (n < minReason || n > maxReason) {
		return fmt.Errorf("--break-glass takes the reason for going on without approval or change window, %d to %d characters", minReason, maxReason)
	}
	return nil
}

// build makes the operation's resource: always a dry run.
func (r *request) build(requester, namespace string, service *api.ServiceRef, host string) *api.ServiceRecovery {
	o := &api.ServiceRecovery{}
	o.Namespace = namespace
	subject := host
	if service != nil {
		subject = service.Name
	}
	o.GenerateName = kebab(string(r.name)) + "-" + cutName(subject) + "-"
	o.Spec = api.ServiceRecoverySpec{
		OperationSpec: api.OperationSpec{RequestedBy: requester, Reason: strings.TrimSpace(r.reason), DryRun: ptr.To(true)},
		Action:        r.name, Service: service, Host: host, Part: api.Part(r.part), Instance: r.instance, Supplier: r.supplier, Replicas: r.replicas,
	}
	if r.to != "" {
		o.Spec.RestoreTo = &r.at
	}
	if r.unknown != "" {
		o.Spec.AcceptUnknownLoss = &api.AcceptUnknownLoss{Reason: strings.TrimSpace(r.unknown)}
	}
	return o
}

// cutName leaves room for the action and the letters that the API server adds.
func cutName(name string) string {
	return strings.Trim(name[:min(len(name), 30)], "-.")
}

// kebab turns RestartRolling into restart-rolling.
func kebab(camel string) string {
	var b strings.Builder
	for i, r := range camel {
		if r >= 'A' && r <= 'Z' {
			if i > 0 {
				b.WriteByte('-')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
