// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"spine.nhs.uk/controlplane/stacks/stacktest"
)

const (
	// largest is the environment that has all that an environment can have.
	largest = "ers-live"
	// stackRuns is how often what takes seconds is measured.
	stackRuns = 5
	// touched is a file of stacks that other packages of the program stand on.
	touched = "stacks/cloud/build.go"
)

// What is measured, by name.
const (
	coldBuild    = "build: cold"
	sameBuild    = "build: unchanged"
	touchedBuild = "build: one file changed"
	planned      = "preview: " + largest
)

// programBuilds measures `go build` of the Pulumi program, into a folder that goes again.
func (b *bench) programBuilds(ctx context.Context, root, dir string, cold bool) error {
	build := func(name string, env []string, args ...string) error {
		cmd := exec.CommandContext(ctx, "go", append(append([]string{"build"}, args...), "-o", filepath.Join(dir, "program"), "./stacks")...)
		cmd.Dir, cmd.Env = root, append(os.Environ(), env...)
		return b.measured(name, cmd)
	}
	if cold {
		fmt.Println("The program, with an empty build cache (downloaded modules are kept, as their time is the network's):")
		if err := build(coldBuild, []string{"GOCACHE=" + filepath.Join(dir, "cache")}); err != nil {
			return err
		}
	}
	fmt.Println("The program, again; the first build fills the cache, and does not count:")
	if err := build("", nil); err != nil {
		return err
	}
	for range stackRuns {
		if err := build(sameBuild, nil); err != nil {
			return err
		}
	}
	for run := range stackRuns {
		overlay, err := changed(root, dir, run)
		if err != nil {
			return err
		}
		if err := build(touchedBuild, nil, "-overlay", overlay); err != nil {
			return err
		}
	}
	return nil
}

// changed has the compiler read a file of stacks otherwise than it is, each time anew; the checkout stays as it is. It
// returns what to pass as -overlay. A comment would not do: what it compiles to is the same.
func changed(root, dir string, run int) (string, error) {
	file := filepath.Join(root, touched)
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	other, overlay := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	text = fmt.Appendf(text, "\nvar measured = \"%d-%d\"\n", os.Getpid(), run)
	if err := os.WriteFile(other, text, 0o600); err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{file: other}})
	if err != nil {
		return "", err
	}
	return overlay, os.WriteFile(overlay, replace, 0o600)
}

// stackPreviews measures `pulumi preview` of the largest environment, with the rules, against the stand-in for AWS.
func (b *bench) stackPreviews(ctx context.Context, root, dir string) error {
	fmt.Println("Previews, with the rules; the first builds program, provider and rules, and does not count:")
	plugin, err := stacktest.StandIn(ctx, root)
	if err != nil {
		return err
	}
	s, err := stacktest.Environment(ctx, root, largest, filepath.Join(dir, "stack"), plugin)
	if err != nil {
		return err
	}
	log := filepath.Join(dir, "events")
	for run := range 1 + stackRuns {
		name := planned
		if run == 0 {
			name = ""
		}
		if err := b.measured(name, s.Command(ctx, "preview", "--event-log", log)); err != nil {
			return err
		}
	}
	p, err := stacktest.ReadLog(log)
	if err != nil {
		return err
	}
	b.record.add(planned+", resources", "", float64(len(p.Resources())))
	return nil
}

// measured runs a command and adds what it took to the record, unless its name is empty.
func (b *bench) measured(name string, cmd *exec.Cmd) error {
	u, err := measure(cmd)
	if err != nil || name == "" {
		return err
	}
	b.record.add(name, "s", u.wall.Seconds())
	b.record.add(name+", processor", "s", u.processor.Seconds())
	b.record.add(name+", largest process", "MiB", u.largest/(1<<20))
	return nil
}

// runStacks is the whole of `bench -stacks`.
func runStacks(ctx context.Context, cold bool, results string) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "spine-bench-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := adopt(); err != nil {
		return err
	}
	b := &bench{record: newRecord()}
	b.record.add("machine: processors", "", float64(runtime.NumCPU()))
	if err := b.programBuilds(ctx, root, dir, cold); err != nil {
		return err
	}
	if err := b.stackPreviews(ctx, root, dir); err != nil {
		return err
	}
	if err := b.record.finish(filepath.Join(results, "stacks")); err != nil {
		return err
	}
	return held(os.Stdout, b.record)
}
