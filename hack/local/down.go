// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// down destroys the stack, then the rack. What took long to build stays in the cache.
func (w *workspace) down(ctx context.Context) error {
	if err := w.buildOwn(ctx); err != nil {
		return err
	}
	times := &timings{Started: time.Now()}
	members, err := w.members()
	if err != nil {
		return err
	}
	if len(members) == 0 {
		members = []string{w.Stack}
	}
	slices.Reverse(members)
	for _, m := range members {
		if err := w.of(m).destroyStack(ctx, times); err != nil {
			return err
		}
	}
	if err := times.do("virtual rack", func() error { return w.run(ctx, "rack", w.rackArgs("down")...) }); err != nil {
		return err
	}
	for _, m := range members {
		if err := os.Remove(w.of(m).kubeconfig()); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	// Certificates of a rack that is gone are of no use to the next one.
	if err := os.RemoveAll(w.pairFolder()); err != nil {
		return err
	}
	fmt.Printf("\nStack %s and its rack are gone. Built tools and images stay in %s.\n", w.Stack, w.cache)
	return nil
}

// destroyStack destroys the stack, if it is there.
func (w *workspace) destroyStack(ctx context.Context, times *timings) error {
	exists, err := w.stackExists(ctx)
	if err != nil || !exists {
		return err
	}
	return times.do("pulumi destroy of "+w.Stack, func() error { return w.destroy(ctx) })
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
