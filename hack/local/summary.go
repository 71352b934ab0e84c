// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

type stackOutputs struct {
	APIEndpoint string `json:"apiEndpoint"`
	EdgeAddress string `json:"edgeAddress"`
	// Services are where services answer: mesh, bulk, booking.
	Services map[string]string `json:"services"`
}

func (w *workspace) outputs(ctx context.Context) (stackOutputs, error) {
	var out stackOutputs
	return out, w.outputJSON(ctx, &out, "pulumi", "stack", "output", "--json", "--stack", w.Stack, "--non-interactive")
}

// summary says what now runs and what to do with it.
func (w *workspace) summary(ctx context.Context, times *timings) error {
	out, err := w.outputs(ctx)
	if err != nil {
		return err
	}
	preview, err := w.timePreview(ctx)
	if err != nil {
		return err
	}
	nodes, err := w.output(ctx, "kubectl", "get", "nodes", "-o", nodeColumns)
	if err != nil {
		return err
	}
	fmt.Printf(`
%s
Stack %s is up: %.0f s in all; a preview of it now takes %.1f s.

  Kubernetes API   %s
  Edge             http://%s  https://%s
`, strings.TrimRight(string(nodes), "\n"), w.Stack, time.Since(times.Started).Seconds(), preview.Seconds(),
		out.APIEndpoint, out.EdgeAddress, out.EdgeAddress)
	w.showServices(out)
	fmt.Printf(`
Next:
%s`, w.next(lastHost(nodes)))
	return nil
}

// next are the commands to go on with, each with what it does.
func (w *workspace) next(host string) string {
	lines := [][2]string{
		{`eval "$(make -s env` + stackFlag(w.Stack) + `)"`, "pulumi, kubectl, rack and load on PATH, for this stack"},
		{"kubectl get pods -A", `and what to do with the services: README.md, "Use the services"`},
		{"pulumi preview", "says what a change of environments/Pulumi." + w.Stack + ".yaml would do"},
		{"rack power off " + host, `cut a host's power through its BMC, watch, and "rack power on ` + host + `"`},
		{"make down" + stackFlag(w.rack()), "leaves the machine as it was"},
	}
	widest := 0
	for _, line := range lines {
		widest = max(widest, len(line[0]))
	}
	var b strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&b, "  %-*s  # %s\n", widest, line[0], line[1])
	}
	return b.String()
}

// stackFlag tells make of which stack; nothing for the one that it takes by itself.
func stackFlag(stack string) string {
	if stack == defaultStack {
		return ""
	}
	return " STACK=" + stack
}

// lastHost is the name in the last line of a table of nodes.
func lastHost(nodes []byte) string {
	lines := strings.Split(strings.TrimSpace(string(nodes)), "\n")
	name, _, _ := strings.Cut(lines[len(lines)-1], " ")
	return name
}

// timePreview runs the preview that a user would run next; it must find nothing to do.
func (w *workspace) timePreview(ctx context.Context) (time.Duration, error) {
	begin := time.Now()
	if out, err := w.output(ctx, "pulumi", w.pulumiArgs("preview", "--diff", "--expect-no-changes")...); err != nil {
		return 0, fmt.Errorf("the site is up, but a second preview still finds changes: %w\n%s", err, out)
	}
	return time.Since(begin), nil
}
