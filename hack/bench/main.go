// SPDX-License-Identifier: Apache-2.0

// Command bench measures the platform on a virtual rack of its own: how long each phase of `make up` takes, for how
// long the API is away when a host is lost, how fast a preview answers, and what an idle site costs. It writes one
// dated record and shows it beside the one before. It does the same for the services of a stack that is up, for its
// databases beside stock ones, for planned switchovers of a pair of sites, and, without a rack, for the Pulumi program of
// all stacks.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"spine.nhs.uk/controlplane/hack/site"
)

const usage = `bench: measure the platform on a virtual rack of its own

usage:
  bench                 everything with tools and images built: about 15 minutes
  bench -losses 2       fewer power cuts
  bench -cold           also build every tool, image and root file system from nothing: half an hour more
  bench -services       messages and pages of the stack "local", which must be up: about 10 minutes
  bench -failovers 10   primaries of databases deleted so often, on the stack "local", which must be up: ours, and
                        beside it a stock one: about 15 minutes
  bench -switchovers 10 services of the stack "local-pair", which must be up, moved to the other site as planned, so
                        often: about 40 minutes
  bench -stacks         builds of the Pulumi program and previews of ers-live, without a rack: about 2 minutes
  bench -stacks -cold   also a build of the program from nothing: about 5 minutes more, and 5 GB in $TMPDIR

examples:
  go run ./hack/bench -services -stack local
  go run ./hack/tools build && go run ./hack/bench -stacks   # 1 when a bound is exceeded

flags:
`

func main() {
	losses := flag.Int("losses", 6, "power cuts to measure, over the hosts in turn")
	previews := flag.Int("previews", 7, "warm previews to measure")
	cold := flag.Bool("cold", false, "also measure builds with nothing cached")
	services := flag.Bool("services", false, "measure messages and pages of a stack that is up, and nothing else")
	failovers := flag.Int("failovers", 0, "times to delete the primary of a database, of ours and of a stock one, and nothing else")
	switchovers := flag.Int("switchovers", 0, "times to move the services of a pair of sites to the other one, as planned, and nothing else")
	stacks := flag.Bool("stacks", false, "measure builds of the Pulumi program and previews of its largest environment, and nothing else")
	stack := flag.String("stack", "local", "stack whose services or databases are measured")
	results := flag.String("results", "hack/bench/results", "folder of the dated records")
	flag.Usage = func() { fmt.Fprint(flag.CommandLine.Output(), usage); flag.PrintDefaults() }
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	var err error
	switch {
	case *services:
		err = runServices(ctx, *stack, *results)
	case *failovers > 0:
		err = runFailovers(ctx, *stack, *failovers, *results)
	case *switchovers > 0:
		err = runSwitchovers(ctx, *switchovers, *results)
	case *stacks:
		err = runStacks(ctx, *cold, *results)
	default:
		err = run(ctx, *losses, *previews, *cold, *results)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, losses, previews int, cold bool, results string) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	userHome, err := os.UserHomeDir()
	if err != nil {
		return err
	}
	log, err := os.CreateTemp("", "spine-bench-*.log")
	if err != nil {
		return err
	}
	fmt.Println("Everything that runs is logged in", log.Name())
	s, err := site.New(ctx, root, filepath.Join(userHome, ".local/share/spine-bench"), "bench", log)
	if err != nil {
		return err
	}
	b := &bench{site: s, record: newRecord()}
	defer func() {
		// The rack goes, even after Ctrl-C: what was measured is said before.
		_ = s.Discard(context.WithoutCancel(ctx))
	}()

	if cold {
		if err := b.cold(ctx); err != nil {
			return err
		}
	}
	for _, measure := range []func() error{
		func() error { return b.up(ctx) },
		func() error { return b.previews(ctx, previews) },
		func() error { return b.idle(ctx) },
		func() error { return b.losses(ctx, losses) },
		func() error { return b.down(ctx) },
	} {
		if err := measure(); err != nil {
			return err
		}
	}
	return b.record.finish(results)
}
