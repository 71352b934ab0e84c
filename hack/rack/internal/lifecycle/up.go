// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"spine.nhs.uk/controlplane/hack/rack/internal/machine"
	"spine.nhs.uk/controlplane/hack/rack/internal/network"
	"spine.nhs.uk/controlplane/hack/rack/internal/outer"
	"spine.nhs.uk/controlplane/hack/rack/internal/proc"
	"spine.nhs.uk/controlplane/hack/rack/internal/spec"
	"spine.nhs.uk/controlplane/hack/rack/internal/sshx"
)

// sshLimit is how long a host may take from power on to an SSH login.
const sshLimit = 90 * time.Second

// Progress prints one line per step with the seconds since the start.
type Progress struct {
	Out   io.Writer
	Start time.Time
	mu    sync.Mutex
}

func (p *Progress) step(what, format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.Out, "%6.1f s  %-9s %s\n", time.Since(p.Start).Seconds(), what, fmt.Sprintf(format, args...))
}

// Up brings the rack up with the given definition, or completes what is there already. It
// returns when every host that starts by itself lets the rack's key in over SSH, and every BMC,
// registry and object store answers. rootfs is the root file system for new hosts; empty means the newest built.
func (r *Rack) Up(ctx context.Context, def spec.Rack, rootfs string, p *Progress) error {
	if os.Geteuid() != 0 {
		// Before the lock, which needs root itself.
		if err := r.adopt(def); err != nil {
			return err
		}
		_, err := r.preflight(rootfs)
		return err
	}
	lock, err := proc.Acquire(ctx, r.lockFile(), func() {
		p.step("lock", "waiting for another command on rack %s", r.Def.Name)
	})
	if err != nil {
		return err
	}
	defer lock.Release()
	// Whoever held the lock may have brought the rack up or down meanwhile.
	if fresh, err := OpenRunning(r.Def.Name); err == nil {
		*r = *fresh
	} else {
		r.Exists = false
	}
	if err := r.adopt(def); err != nil {
		return err
	}
	if rootfs, err = r.preflight(rootfs); err != nil {
		return err
	}
	if err := r.prepare(ctx, p); err != nil {
		return err
	}
	machines := r.Machines()
	for _, m := range machines {
		if err := m.Install(ctx, rootfs); err != nil {
			return err
		}
	}
	client, err := sshx.New(r.Folder.SSHKey(), r.Folder.KnownHosts())
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.startServices(ctx, p) })
	for _, m := range machines {
		if m.Host.Starts() {
			group.Go(func() error { return startHost(ctx, m, client, p) })
		}
	}
	return group.Wait()
}

// prepare makes the rack's folder and identity and lays its network.
func (r *Rack) prepare(ctx context.Context, p *Progress) error {
	if err := r.ensureIdentity(time.Now()); err != nil {
		return err
	}
	if err := r.writeDefinition(); err != nil {
		return err
	}
	if err := outer.System().Adapt(ctx); err != nil {
		return err
	}
	for _, s := range r.Def.Sites {
		if err := network.EnsureSite(r.Def, s, r.Home); err != nil {
			return err
		}
		p.step("network", "site %s on bridge %s, %s, gateway %s", s.Name, s.Bridge, s.Subnet, s.Gateway())
	}
	return network.Route(ctx, r.Def)
}

func (r *Rack) startServices(ctx context.Context, p *Progress) error {
	if _, err := r.ensureDaemon(ctx); err != nil {
		return err
	}
	p.step("bmc", "%d Redfish services answer", len(r.Machines()))
	for _, service := range []service{registryService, objectStoreService} {
		answers, err := r.awaitService(ctx, service)
		if err != nil {
			return err
		}
		if answers {
			p.step(service.step, "answers")
		} else {
			p.step(service.step, "no program for it yet: `go run ./hack/tools build %s`, the daemon starts it by itself then", service.tool)
		}
	}
	return nil
}

func startHost(ctx context.Context, m machine.Machine, client *sshx.Client, p *Progress) error {
	ctx, cancel := context.WithTimeout(ctx, sshLimit)
	defer cancel()
	if err := m.PowerOn(ctx); err != nil {
		return err
	}
	alive := func() bool { return m.State() != machine.Off }
	if err := client.Wait(ctx, m.Host.Address, alive); err != nil {
		return fmt.Errorf("host %s: %w (see `rack logs %s --rack %s`)", m.Host.Name, err, m.Host.Name, m.Rack.Name)
	}
	p.step("host "+m.Host.Name, "%s, SSH ready", m.Host.Address)
	return nil
}
