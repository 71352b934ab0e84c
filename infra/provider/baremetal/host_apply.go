// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"

	"spine.nhs.uk/controlplane/infra/provider/remote"
)

// Create prepares the machine. What it did is recorded even when it fails
// half-way, so that the next update goes on from there.
func (h *Host) Create(ctx context.Context, req infer.CreateRequest[HostInputs]) (infer.CreateResponse[HostState], error) {
	id := req.Inputs.Name
	if req.DryRun {
		return infer.CreateResponse[HostState]{ID: id, Output: predicted(req.Inputs.HostArgs, HostState{})}, nil
	}
	state, err := h.apply(ctx, req.Inputs.HostArgs, HostState{}, progressFrom(ctx))
	return infer.CreateResponse[HostState]{ID: id, Output: state}, err
}

// Update changes only what differs.
func (h *Host) Update(ctx context.Context, req infer.UpdateRequest[HostInputs, HostState]) (infer.UpdateResponse[HostState], error) {
	if req.DryRun {
		return infer.UpdateResponse[HostState]{Output: predicted(req.Inputs.HostArgs, req.State)}, nil
	}
	state, err := h.apply(ctx, req.Inputs.HostArgs, req.State, progressFrom(ctx))
	return infer.UpdateResponse[HostState]{Output: state}, err
}

// WireDependencies says what a preview knows. Without it every change of a host
// would make its machine ID unknown, and with it every change the whole cluster.
func (h *Host) WireDependencies(f infer.FieldSelector, _ *HostInputs, state *HostState) {
	f.OutputField(&state.Files).AlwaysKnown()
	f.OutputField(&state.Units).AlwaysKnown()
	f.OutputField(&state.SysctlValues).AlwaysKnown()
	f.OutputField(&state.LoadedModules).AlwaysKnown()
	if state.Facts.MachineID != "" {
		f.OutputField(&state.Facts).AlwaysKnown()
		f.OutputField(&state.PackageVersions).AlwaysKnown()
	}
}

// apply brings the machine to what in asks for and returns what it then is.
// Before the first change an error is returned plain; after it, as
// infer.ResourceInitFailedError beside the state that was reached.
func (h *Host) apply(ctx context.Context, in HostArgs, earlier HostState, say progress) (HostState, error) {
	conn, err := h.Dialer.Dial(ctx, in.SSH.Target(in.Name, in.Address))
	if err != nil {
		return HostState{}, err
	}
	defer conn.Close()
	unlock, err := conn.Lock(ctx, "preparing host "+in.Name)
	if err != nil {
		return HostState{}, err
	}
	defer unlock()

	spec := desired(in)
	a := &applier{host: conn, in: in, spec: spec, earlier: earlier, say: say}
	if err := a.look(ctx); err != nil {
		return HostState{}, err
	}
	if err := a.refuse(); err != nil {
		return HostState{}, err
	}
	if err := a.run(ctx); err != nil {
		return a.partial(ctx, err)
	}
	if rest := compare(spec, a.seen.only(spec)); len(rest) > 0 {
		var text []string
		for _, d := range rest {
			text = append(text, d.String())
		}
		return a.partial(ctx, fmt.Errorf("host %s: still not as asked for after the last step: %s: look at `journalctl -b` on the host", in.Name, strings.Join(text, "; ")))
	}
	return stateOf(in, a.seen.only(spec)), nil
}

// applier carries one run over one machine.
type applier struct {
	host    remote.Host
	in      HostArgs
	spec    hostSpec
	earlier HostState
	say     progress
	// seen is the last observation.
	seen observation
	// step is what is being done, for the error of an interrupted run.
	step string
}

func (a *applier) look(ctx context.Context) (err error) {
	a.seen, err = observeHost(ctx, a.host, a.spec.items(a.earlier))
	if err != nil {
		return fmt.Errorf("host %s (%s): looking at it: %w", a.in.Name, a.in.Address, err)
	}
	return nil
}

// refuse finds reasons not to touch the machine at all.
func (a *applier) refuse() error {
	var errs []error
	for _, problem := range unmet(a.in.Requirements, a.seen.facts) {
		errs = append(errs, fmt.Errorf("host %s (%s): %s", a.in.Name, a.in.Address, problem))
	}
	if was := a.earlier.Facts.MachineID; was != "" && was != a.seen.facts.MachineID {
		errs = append(errs, fmt.Errorf("host %s (%s): its machine ID is %s and was %s: another machine has the same host key; give each machine its own keys and pin the new one in ssh.hostKey", a.in.Name, a.in.Address, a.seen.facts.MachineID, was))
	}
	return errors.Join(errs...)
}

// run does the steps in an order in which each finds what it needs: settings of
// a module exist once it is loaded, files go where packages made folders, and
// units start with their final files.
func (a *applier) run(ctx context.Context) error {
	if len(compare(a.spec, a.seen)) == 0 {
		a.say("nothing to change")
		return nil
	}
	steps := []struct {
		name string
		do   func(context.Context) error
	}{
		{"installing packages", a.installPackages},
		{"remembering the host as it was", a.remember},
		{"loading kernel modules", a.loadModules},
		{"writing files", a.writeFiles},
		{"setting kernel settings", a.setSysctls},
		{"taking back what is no longer asked for", a.takeBack},
		{"starting units", a.startUnits},
	}
	for _, s := range steps {
		a.step = s.name
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.do(ctx); err != nil {
			return err
		}
	}
	return a.look(ctx)
}

// partial describes the machine after a failure as far as it can be seen.
func (a *applier) partial(ctx context.Context, cause error) (HostState, error) {
	reason := cause.Error()
	if ctx.Err() != nil {
		reason = fmt.Sprintf("host %s: interrupted before or while %s: run the update again, it goes on from here", a.in.Name, a.step)
	}
	// The run may have been cancelled; looking once more is still worth it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := a.look(ctx); err != nil {
		p.GetLogger(ctx).Warningf("host %s: its state after the failure is not known: %v", a.in.Name, err)
	}
	return stateOf(a.in, a.seen.only(a.spec)), infer.ResourceInitFailedError{Reasons: []string{reason}}
}
