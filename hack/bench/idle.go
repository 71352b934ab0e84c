// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// idleWindow is long against the periods of what runs in an idle site (10 s probes, 30 s resyncs).
const idleWindow = 90 * time.Second

// idle measures what the whole site costs while nobody uses it, from its hosts' control groups.
func (b *bench) idle(ctx context.Context) error {
	fmt.Printf("The idle site, over %s:\n", idleWindow)
	if err := b.settled(ctx); err != nil {
		return err
	}
	before, err := b.cpuSeconds()
	if err != nil {
		return err
	}
	begin := time.Now()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(idleWindow):
	}
	after, err := b.cpuSeconds()
	if err != nil {
		return err
	}
	b.record.add("idle: processor", "% core", 100*(after-before)/time.Since(begin).Seconds())
	memory, err := b.memory()
	if err != nil {
		return err
	}
	b.record.add("idle: memory", "MiB", memory/(1<<20))
	return nil
}

// cpuSeconds is the processor time that all hosts have used so far.
func (b *bench) cpuSeconds() (float64, error) {
	return b.sum(func(group string) (float64, error) {
		if v1, err := number("/sys/fs/cgroup/cpuacct/" + group + "/cpuacct.usage"); err == nil {
			return v1 / 1e9, nil
		}
		v2, err := field("/sys/fs/cgroup/"+group+"/cpu.stat", "usage_usec")
		return v2 / 1e6, err
	})
}

// memory is what all hosts use, without file pages that the kernel can drop.
func (b *bench) memory() (float64, error) {
	return b.sum(func(group string) (float64, error) {
		dir, usage, cached := "/sys/fs/cgroup/memory/"+group, "/memory.usage_in_bytes", "total_inactive_file"
		if _, err := os.Stat(dir); err != nil {
			dir, usage, cached = "/sys/fs/cgroup/"+group, "/memory.current", "inactive_file"
		}
		used, err := number(dir + usage)
		if err != nil {
			return 0, err
		}
		file, err := field(dir+"/memory.stat", cached)
		return used - file, err
	})
}

func (b *bench) sum(of func(group string) (float64, error)) (float64, error) {
	total := 0.0
	for _, h := range hosts {
		v, err := of("spine-" + b.site.Name + "." + h)
		if err != nil {
			return 0, err
		}
		total += v
	}
	return total, nil
}

func number(path string) (float64, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(string(data)), 64)
}

// field reads the number behind a name in a file of "name number" lines.
func field(path, name string) (float64, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(rest), 64)
		}
	}
	return 0, fmt.Errorf("%s has no line %q", path, name)
}
