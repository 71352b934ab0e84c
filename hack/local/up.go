// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

// up brings everything up, from whatever state the machine is in.
func (w *workspace) up(ctx context.Context) (err error) {
	if err := os.MkdirAll(w.state(), 0o700); err != nil {
		return err
	}
	times := &timings{Started: time.Now()}
	defer func() { err = errors.Join(err, times.save(w.home, w.Stack)) }()

	members, err := w.members()
	if err != nil {
		return err
	}
	if len(members) > 0 {
		if err := w.inOrder(ctx, times, append(w.builds(), w.pairUp(members)...)); err != nil {
			return err
		}
		for _, m := range members {
			if err := w.of(m).summary(ctx, times); err != nil {
				return err
			}
		}
		return nil
	}
	steps := append(w.builds(), step{"virtual rack", w.rackUp}, step{"pulumi up", w.pulumiUp}, step{"first message and booking", w.first})
	if err := w.inOrder(ctx, times, steps); err != nil {
		return err
	}
	return w.summary(ctx, times)
}

// prepare builds what up would build and starts nothing.
func (w *workspace) prepare(ctx context.Context) error {
	return w.inOrder(ctx, &timings{Started: time.Now()}, w.builds())
}

type step struct {
	name string
	do   func(context.Context) error
}

func (w *workspace) builds() []step {
	return []step{
		{"commands of this checkout", w.buildOwn},
		{"tools from source, host and engine systems", w.buildTools},
		{"images", func(ctx context.Context) error { return w.run(ctx, "images", "build") }},
	}
}

func (w *workspace) inOrder(ctx context.Context, times *timings, steps []step) error {
	for _, s := range steps {
		if err := times.do(s.name, func() error { return s.do(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

// buildOwn builds the commands that the later phases run, and fills Go's build cache with the Pulumi program, the
// provider and the rules, so that their first use inside `pulumi up` does not look like a hang.
func (w *workspace) buildOwn(ctx context.Context) error {
	if err := os.MkdirAll(w.own, 0o755); err != nil {
		return err
	}
	if err := w.run(ctx, "go", "build", "-o", w.own+"/", "./hack/tools", "./hack/images", "./hack/rack", "./hack/load",
		"./operators/cmd/kubectl-spine", "./stacks/cmd/stackdiff"); err != nil {
		return err
	}
	if err := w.linkCompleter(); err != nil {
		return err
	}
	return w.run(ctx, "go", "build", "./stacks", "./infra/cmd/pulumi-resource-spine", "./infra/cmd/pulumi-analyzer-policy-spine")
}

// linkCompleter gives the on-call plugin the second name under which kubectl asks it to complete arguments.
func (w *workspace) linkCompleter() error {
	err := os.Symlink("kubectl-spine", filepath.Join(w.own, "kubectl_complete-spine"))
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	return err
}

// buildTools builds the tools and, beside them, the root file systems of hosts and engines: those wait for the network
// where the tools wait for the processor. The images take from both.
func (w *workspace) buildTools(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return w.run(ctx, "tools", "build") })
	group.Go(func() error {
		if err := w.run(ctx, "images", "rootfs"); err != nil {
			return err
		}
		return w.run(ctx, "images", "engines")
	})
	return group.Wait()
}

type rackStatus struct {
	Registry struct {
		Push string `json:"push"` // HOST:PORT on this machine that takes pushes, in plain HTTP
	} `json:"registry"`
}

func (w *workspace) rackUp(ctx context.Context) error {
	if err := w.run(ctx, "rack", w.rackArgs("up")...); err != nil {
		return err
	}
	return w.pushImages(ctx)
}

// images builds the images again, and offers them to the site.
func (w *workspace) images(ctx context.Context) error {
	if err := w.buildOwn(ctx); err != nil {
		return err
	}
	if err := w.run(ctx, "images", "build", "--revision", w.Revision); err != nil {
		return err
	}
	return w.pushImages(ctx)
}

// pushImages puts what was built last into the rack's registry.
func (w *workspace) pushImages(ctx context.Context) error {
	var status rackStatus
	if err := w.outputJSON(ctx, &status, "rack", w.rackArgs("status", "-o", "json")...); err != nil {
		return err
	}
	return w.run(ctx, "images", "push", "--registry", status.Registry.Push, "--plain-http")
}

func (w *workspace) pulumiUp(ctx context.Context) error {
	if err := w.prepareStack(ctx); err != nil {
		return err
	}
	if err := w.signTokens(); err != nil {
		return err
	}
	if err := w.run(ctx, "pulumi", w.pulumiArgs("up", "--yes")...); err != nil {
		return err
	}
	return w.writeKubeconfig(ctx)
}

// prepareStack makes sure that the stack exists, can be decrypted, and is not locked by an update that was killed.
func (w *workspace) prepareStack(ctx context.Context) error {
	if err := w.writePassphrase(); err != nil {
		return err
	}
	if err := w.releaseDeadLocks(); err != nil {
		return err
	}
	exists, err := w.stackExists(ctx)
	if err != nil {
		return err
	}
	if exists {
		_, err := w.output(ctx, "pulumi", "stack", "select", w.Stack, "--non-interactive")
		return err
	}
	// `stack init` writes the new stack's salt into environments/, wherever the stack's config is: what it makes there
	// beside a config that is elsewhere goes again. A file that was there before is the user's.
	file := filepath.Join(w.root, "environments", "Pulumi."+w.Stack+".yaml")
	_, statErr := os.Stat(file)
	if _, err := w.output(ctx, "pulumi", "stack", "init", w.Stack, "--non-interactive"); err != nil {
		return err
	}
	if w.ConfigFile != "" && errors.Is(statErr, os.ErrNotExist) {
		return os.Remove(file)
	}
	return nil
}

// localPassphrase opens the state of stacks on the virtual rack. It is no secret: see environments/Pulumi.local.yaml.
const localPassphrase = "spine-local"

func (w *workspace) writePassphrase() error {
	if _, err := os.Stat(w.passphrase()); err == nil {
		return nil
	}
	return os.WriteFile(w.passphrase(), []byte(localPassphrase+"\n"), 0o600)
}

// writeKubeconfig puts the administrator's kubeconfig where `make env` points KUBECONFIG.
func (w *workspace) writeKubeconfig(ctx context.Context) error {
	out, err := w.output(ctx, "pulumi", "stack", "output", "kubeconfig", "--show-secrets", "--stack", w.Stack, "--non-interactive")
	if err != nil {
		return err
	}
	tmp := w.kubeconfig() + ".new"
	if err := os.WriteFile(tmp, out, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, w.kubeconfig())
}

// releaseDeadLocks removes the locks that an update on this machine left when it was killed: Pulumi's self-managed
// backend never does, and asks for `pulumi cancel`. A lock is only removed when its process is gone from this host.
func (w *workspace) releaseDeadLocks() error {
	locks, err := filepath.Glob(filepath.Join(w.state(), ".pulumi/locks/*/*", w.Stack, "*.json"))
	if err != nil {
		return err
	}
	hostname, err := os.Hostname()
	if err != nil {
		return err
	}
	for _, path := range locks {
		lock, err := readLock(path)
		if err != nil {
			return err
		}
		if !lock.dead(hostname, processExists) {
			return fmt.Errorf("stack %s is being updated by %s@%s, process %d, since %s: wait for it, or end it first",
				w.Stack, lock.Username, lock.Hostname, lock.Pid, lock.Timestamp.Format(time.TimeOnly))
		}
		fmt.Printf("    the update of %s by process %d was killed: its lock is removed\n", lock.Timestamp.Format(time.TimeOnly), lock.Pid)
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}
