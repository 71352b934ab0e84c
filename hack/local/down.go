// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// down destroys the stack, then the rack. What took long to build stays in the cache.
func (w *workspace) down(ctx context.Context) error {
	if err := w.buildOwn(ctx); err != nil {
		return err
	}
	times := &timings{Started: time.Now()}
	exists, err := w.stackExists(ctx)
	if err != nil {
		return err
	}
	if exists {
		if err := times.do("pulumi destroy", func() error { return w.destroy(ctx) }); err != nil {
			return err
		}
	}
	if err := times.do("virtual rack", func() error { return w.run(ctx, "rack", w.rackArgs("down")...) }); err != nil {
		return err
	}
	if err := os.Remove(w.kubeconfig()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	fmt.Printf("\nStack %s and its rack are gone. Built tools and images stay in %s.\n", w.Stack, w.cache)
	return nil
}

func (w *workspace) stackExists(ctx context.Context) (bool, error) {
	if !executable(w.cache + "/bin/pulumi") {
		if _, err := w.output(ctx, "pulumi", "version"); err != nil {
			return false, nil // never came as far as having a pulumi, so there is no stack
		}
	}
	if err := os.MkdirAll(w.state(), 0o700); err != nil {
		return false, err
	}
	if err := w.writePassphrase(); err != nil {
		return false, err
	}
	var stacks []struct {
		Name string `json:"name"`
	}
	if err := w.outputJSON(ctx, &stacks, "pulumi", "stack", "ls", "--json", "--non-interactive"); err != nil {
		return false, err
	}
	for _, s := range stacks {
		if s.Name == w.Stack || strings.HasSuffix(s.Name, "/"+w.Stack) {
			return true, nil
		}
	}
	return false, nil
}

// forgetUnreachable has the provider leave out hosts and clusters that do not answer: the rack takes them along.
const forgetUnreachable = "SPINE_DELETE_UNREACHABLE=true"

func (w *workspace) destroy(ctx context.Context) error {
	if err := w.releaseDeadLocks(); err != nil {
		return err
	}
	if !w.Force {
		w.releaseServices(ctx)
		if err := w.runWith(ctx, []string{forgetUnreachable}, "pulumi", w.pulumiArgs("destroy", "--yes")...); err != nil {
			return fmt.Errorf("%w\n\nIf the cluster is beyond repair: make down FORCE=1 removes the rack and forgets the stack", err)
		}
	}
	return w.run(ctx, "pulumi", "stack", "rm", w.Stack, "--yes", "--force", "--preserve-config", "--non-interactive")
}
