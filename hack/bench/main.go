// SPDX-License-Identifier: Apache-2.0

// Command bench measures the platform on a virtual rack of its own: how long each phase of `make up` takes, for how
// long the API is away when a host is lost, how fast a preview answers, and what an idle site costs. It writes one
// dated record and shows it beside the one before.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"spine.nhs.uk/controlplane/hack/site"
)

const usage = `bench: measure the platform on a virtual rack of its own

usage:
  bench                 everything with tools and images built: about 15 minutes
  bench -losses 2       fewer power cuts
  bench -cold           also build every tool, image and root file system from nothing: half an hour more
  bench -services       messages and pages of the stack "local", which must be up: about 10 minutes

flags:
`

func main() {
	losses := flag.Int("losses", 6, "power cuts to measure, over the hosts in turn")
	previews := flag.Int("previews", 7, "warm previews to measure")
	cold := flag.Bool("cold", false, "also measure all builds with nothing cached")
	services := flag.Bool("services", false, "measure messages and pages of a stack that is up, and nothing else")
	stack := flag.String("stack", "local", "stack whose services are measured")
	results := flag.String("results", "hack/bench/results", "folder of the dated records")
	flag.Usage = func() { fmt.Fprint(flag.CommandLine.Output(), usage); flag.PrintDefaults() }
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if *services {
		if err := runServices(ctx, *stack, *results); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if err := run(ctx, *losses, *previews, *cold, *results); err != nil {
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
	record := Record{Time: time.Now().UTC().Truncate(time.Second), Figures: map[string]Figure{}}
	b := &bench{site: s, record: record}
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
	previous, err := latest(results)
	if err != nil {
		return err
	}
	fmt.Print(b.record.compare(previous))
	return b.record.save(results)
}
