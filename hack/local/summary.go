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
  eval "$(make -s env)"      # pulumi, kubectl, rack and load on PATH, for this stack
  kubectl get pods -A        # and what to do with the services: README.md, "Use the services"
  pulumi preview             # says what a change of environments/Pulumi.%s.yaml would do
  rack power off b           # cut a host's power through its BMC, watch, and "rack power on b"
  make down                  # leaves the machine as it was
`, w.Stack)
	return nil
}

// timePreview runs the preview that a user would run next; it must find nothing to do.
func (w *workspace) timePreview(ctx context.Context) (time.Duration, error) {
	begin := time.Now()
	if out, err := w.output(ctx, "pulumi", w.pulumiArgs("preview", "--diff", "--expect-no-changes")...); err != nil {
		return 0, fmt.Errorf("the site is up, but a second preview still finds changes: %w\n%s", err, out)
	}
	return time.Since(begin), nil
}
