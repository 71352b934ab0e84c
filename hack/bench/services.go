// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"spine.nhs.uk/controlplane/hack/load/stats"
	"spine.nhs.uk/controlplane/hack/site"
)

const (
	// stepSeconds is how long each rate is offered.
	stepSeconds = 20
	// payloadBytes is the size of each message.
	payloadBytes = 2048
	// floor is the messages a second that the services must carry: the Spine's peak.
	floor = 3500
	// warmSeconds of that come before anything is measured: until the log has gone around once, every standby makes
	// each of its segments anew while commits wait, which a site that has carried a day's messages no longer does.
	warmSeconds = 120
	// floorRuns is how often the floor is measured.
	floorRuns = 5
)

// The rates that are offered, a second.
var (
	bulkRates = []float64{1000, 2000, 3500, 5000, 6500, 8000, 9000, 10500, 12000}
	meshRates = []float64{100, 200, 400, 600, 800, 1000, 1500, 2000, 3500}
	pageRates = []float64{50, 100, 200, 400, 600, 800, 1000, 1500, 2000, 2500}
)

// edge is the last octet of the address that traffic from outside comes to.
const edge = 101

// generator runs the program load beside the site, as a process of its own.
type generator struct {
	site     *site.Site
	program  string
	clients  string
	records  string
	endpoint string
}

func newGenerator(ctx context.Context, s *site.Site, dir string) (*generator, error) {
	address, err := s.Address(edge)
	if err != nil {
		return nil, err
	}
	g := &generator{site: s, program: filepath.Join(dir, "load"), clients: filepath.Join(s.Home, "clients"), records: dir, endpoint: "https://" + address}
	_, err = s.Run(ctx, "go", "build", "-o", g.program, "./hack/load")
	return g, err
}

// run offers load and returns the generator's report. Its record is thrown away: here only speed is measured.
func (g *generator) run(ctx context.Context, env []string, args ...string) (stats.Report, error) {
	dir, err := os.MkdirTemp(g.records, "run-*")
	if err != nil {
		return stats.Report{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if args[0] != "plain" {
		args = append(args, "--clients", g.clients, "--record", filepath.Join(dir, "record"), "--progress", "0s")
	}
	cmd := g.site.Command(ctx, g.program, append(args, "-o", "json")...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = append(cmd.Env, env...), &out, &errs
	runErr := cmd.Run()
	var r stats.Report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		return r, fmt.Errorf("load %s: %w: %s", args[0], runErr, errs.String())
	}
	return r, nil
}

func rate(r float64) string { return strconv.FormatFloat(r, 'f', -1, 64) }

func (g *generator) bulk(ctx context.Context, r float64) (stats.Report, error) {
	return g.bulkFor(ctx, r, stepSeconds)
}

func (g *generator) bulkFor(ctx context.Context, r float64, seconds int) (stats.Report, error) {
	return g.run(ctx, nil, "messages", "--url", g.endpoint+":8444", "--rate", rate(r), "--duration", fmt.Sprintf("%ds", seconds),
		"--size", strconv.Itoa(payloadBytes), "--linger", "25ms")
}

func (g *generator) mesh(ctx context.Context, r float64) (stats.Report, error) {
	return g.run(ctx, nil, "messages", "--url", g.endpoint+":8444", "--mesh-url", g.endpoint+":8443", "--rate", rate(r),
		"--duration", fmt.Sprintf("%ds", stepSeconds), "--size", strconv.Itoa(payloadBytes))
}

func (g *generator) pages(ctx context.Context, r float64) (stats.Report, error) {
	return g.run(ctx, nil, "bookings", "--url", g.endpoint+":8445", "--rate", rate(r), "--duration", fmt.Sprintf("%ds", stepSeconds),
		"--users", strconv.Itoa(int(max(100, r/2))), "--services", "10", "--slots", "50")
}

// services measures messages and pages on a site that carries them.
func (b *bench) services(ctx context.Context) error {
	fmt.Printf("The services of %s, steps of %d s:\n", b.site.Name, stepSeconds)
	// The record of a run in memory: what the disks write is the services' own.
	dir, err := os.MkdirTemp("/dev/shm", "spine-bench-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	g, err := newGenerator(ctx, b.site, dir)
	if err != nil {
		return err
	}
	fmt.Printf("  warming up: %d s at %d messages/s\n", warmSeconds, floor)
	if _, err := g.bulkFor(ctx, floor, warmSeconds); err != nil {
		return err
	}
	for range floorRuns {
		if err := b.settled(ctx); err != nil {
			return err
		}
		if err := b.writes(ctx, g); err != nil {
			return err
		}
	}
	if err := b.plain(ctx, g); err != nil {
		return err
	}
	for _, kind := range []struct {
		name  string
		rates []float64
		try   func(context.Context, float64) (stats.Report, error)
	}{
		{"messages, bulk", bulkRates, g.bulk}, {"messages, MESH", meshRates, g.mesh}, {"pages", pageRates, g.pages},
	} {
		best, err := highest(kind.rates, func(r float64) (stats.Report, error) {
			if err := b.settled(ctx); err != nil {
				return stats.Report{}, err
			}
			return kind.try(ctx, r)
		})
		if err != nil {
			return err
		}
		if best == nil {
			return fmt.Errorf("%s: not even %.0f/s is carried within %d ms", kind.name, kind.rates[0], latencyLimit)
		}
		b.record.add(kind.name+": highest carried", "/s", best.PerSecond)
		b.record.add(kind.name+": p50 there", "ms", best.Latency.P50)
		b.record.add(kind.name+": p99 there", "ms", best.Latency.P99)
	}
	return b.parts(ctx)
}

// writes offers the floor, and compares what the disks write with the payload.
func (b *bench) writes(ctx context.Context, g *generator) error {
	before, err := diskBytes(b.site.Home)
	if err != nil {
		return err
	}
	begin := time.Now()
	r, err := g.bulk(ctx, floor)
	if err != nil {
		return err
	}
	after, err := diskBytes(b.site.Home)
	if err != nil {
		return err
	}
	fmt.Printf("  the floor: %.0f/s offered: %.0f/s acknowledged, p50 %.0f ms, p99 %.0f ms\n", r.Offered, r.PerSecond, r.Latency.P50, r.Latency.P99)
	b.record.add("messages, bulk: at 3,500/s, acknowledged", "/s", r.PerSecond)
	b.record.add("messages, bulk: at 3,500/s, p50", "ms", r.Latency.P50)
	b.record.add("messages, bulk: at 3,500/s, p99", "ms", r.Latency.P99)
	b.record.add("written per payload byte, all replicas", "bytes", (after-before)/float64(r.Acknowledged*payloadBytes))
	b.record.add("written while measuring that", "MiB/s", (after-before)/(1<<20)/time.Since(begin).Seconds())
	return nil
}

// runServices is the whole of `bench -services`.
func runServices(ctx context.Context, stack, results string) error {
	s, err := existing(ctx, stack, io.Discard)
	if err != nil {
		return err
	}
	b := &bench{site: s, record: newRecord()}
	if err := b.services(ctx); err != nil {
		return err
	}
	// Apart from the records of whole sites, so that each is compared with its own kind.
	return b.record.finish(filepath.Join(results, "services"))
}

// existing is the site of a stack that is up.
func existing(ctx context.Context, stack string, log io.Writer) (*site.Site, error) {
	root, home, err := folders()
	if err != nil {
		return nil, err
	}
	return site.New(ctx, root, home, stack, log)
}

// folders are the checkout, and where stacks of people are kept.
func folders() (root, home string, err error) {
	if root, err = os.Getwd(); err != nil {
		return "", "", err
	}
	if home = os.Getenv("SPINE_HOME"); home != "" {
		return root, home, nil
	}
	userHome, err := os.UserHomeDir()
	return root, filepath.Join(userHome, ".local/share/spine"), err
}
