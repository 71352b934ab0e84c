// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	p "github.com/pulumi/pulumi-go-provider"

	"spine.nhs.uk/controlplane/infra/provider/quorum"
)

// reconcile brings the cluster to what is asked for: look, plan, take one
// step, look again. Each step is therefore judged by how things are just
// before it, and a run that was killed is continued by the next.
func (s *session) reconcile(ctx context.Context) error {
	if err := s.look(ctx); err != nil {
		return err
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if s.outlast(ctx) {
		if err := s.look(ctx); err != nil {
			return err
		}
	}
	steps, err := s.plan()
	// Both at once: that a host is down often explains why a plan is refused.
	if err := errors.Join(s.unreachable(), err); err != nil {
		return err
	}
	if len(steps) > 0 {
		s.progress("fetching the Kubernetes binaries")
		if err := s.fetch(ctx); err != nil {
			return err
		}
	}
	// Every step makes the next plan shorter by at least one; more rounds than
	// this mean that a step has no effect.
	for rounds := 2*len(steps) + 4; len(steps) > 0; rounds-- {
		if rounds == 0 {
			return fmt.Errorf("cluster %s: step %q has no effect: look at the host's journal, then run again", s.args.Name, steps[0])
		}
		s.touched = true
		if err := s.take(ctx, steps); err != nil {
			return stopped(ctx, steps[0], err)
		}
		if err := s.look(ctx); err != nil {
			return stopped(ctx, steps[0], err)
		}
		if steps, err = s.plan(); err != nil {
			return err
		}
		if len(steps) > 0 {
			if err := s.unreachable(); err != nil {
				return err
			}
		}
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	return s.look(ctx)
}

// take does the first step; with it all joins that follow at once.
func (s *session) take(ctx context.Context, steps []step) error {
	st := steps[0]
	s.progress("%s", st)
	switch st.Action {
	case quorum.Remove:
		return s.remove(ctx, st)
	case quorum.Update:
		return s.updateMember(ctx, st)
	}
	var hosts []*hostView
	for _, o := range steps {
		if o.Action != st.Action || o.Role != st.Role {
			break
		}
		v := s.view(o.Name, o.MachineID)
		if v == nil || !v.reached() {
			return fmt.Errorf("%s of host %s: %s", o.Action, o.Name, fault(v))
		}
		hosts = append(hosts, v)
	}
	if st.Action == quorum.Init {
		return s.initialise(ctx, hosts[0])
	}
	return s.join(ctx, hosts)
}

// lock keeps other provisioners off all hosts that can be reached.
func (s *session) lock(ctx context.Context) (func(), error) {
	var unlocks []func()
	unlock := func() {
		for _, u := range unlocks {
			u()
		}
	}
	var errs []error
	for _, v := range s.hosts {
		if !v.reached() {
			continue
		}
		u, err := v.Conn.Lock(ctx, "cluster "+s.args.Name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		unlocks = append(unlocks, u)
	}
	if len(errs) > 0 {
		unlock()
		return nil, errors.Join(errs...)
	}
	return unlock, nil
}

// outlast waits for steps that a provisioner before us began and that still
// run. How they end is seen by the next look, not by their exit code. It says
// whether there were any.
func (s *session) outlast(ctx context.Context) bool {
	var wg sync.WaitGroup
	waited := false
	for _, v := range s.hosts {
		if !v.reached() {
			continue
		}
		for _, unit := range v.Probe.Units {
			waited = true
			s.progress("%s: waiting for %s, begun by an earlier run", v.Host.Name, unit)
			// Attaches to what runs; should it have ended just now, nothing is run.
			wg.Go(func() { _ = s.runUnit(ctx, v, unit, "exit 0") })
		}
	}
	wg.Wait()
	return waited
}

// runUnit runs a long step on a host and shows where it is: kubeadm starts the
// lines that say so with the phase in brackets. A failure has the whole end of
// the output.
func (s *session) runUnit(ctx context.Context, v *hostView, unit, script string) error {
	return v.Conn.RunUnit(ctx, unit, script, func(line string) {
		if strings.HasPrefix(line, "[") {
			s.progress("%s: %s", v.Host.Name, line)
		}
	})
}

// warn shows a warning that stays in the log of the update.
func (s *session) warn(format string, args ...any) { s.warnings(fmt.Sprintf(format, args...)) }

// stopped says where an interrupted run stands.
func stopped(ctx context.Context, at step, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return fmt.Errorf("interrupted at %q; what runs on the host goes on there, and the next update continues: %w", at, err)
}

// logs shows warnings and notes beside the resource, to stay in the log.
func logs(ctx context.Context) (warnings, notes func(string)) {
	log := p.GetLogger(ctx)
	return log.Warning, log.Info
}

// note shows the steps of a preview.
func (s *session) note(steps []step) {
	lines := make([]string, 0, len(steps)+1)
	lines = append(lines, "steps of this change:")
	for i, st := range steps {
		lines = append(lines, fmt.Sprintf("%3d. %s", i+1, st))
	}
	s.notes(strings.Join(lines, "\n"))
}
