// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
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
	nodes, err := w.output(ctx, "kubectl", "get", "nodes", "-o", "custom-columns="+
		"NODE:.metadata.name,READY:.status.conditions[?(@.type==\"Ready\")].status,VERSION:.status.nodeInfo.kubeletVersion,"+
		"ADDRESS:.status.addresses[?(@.type==\"InternalIP\")].address,RACK:.metadata.labels.topology\\.kubernetes\\.io/zone")
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
  eval "$(make -s env)"      # pulumi, kubectl and rack on PATH, for this stack
  kubectl get pods -A
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

// status shows the rack, the nodes and every pod that is not well.
func (w *workspace) status(ctx context.Context) error {
	if err := w.run(ctx, "rack", w.rackArgs("status")...); err != nil {
		return err
	}
	if _, err := os.Stat(w.kubeconfig()); err != nil {
		fmt.Printf("\nNo cluster yet: `make up` makes it.\n")
		return nil
	}
	fmt.Println()
	if err := w.run(ctx, "kubectl", "get", "nodes", "-o", "wide", "--request-timeout=5s"); err != nil {
		return fmt.Errorf("the Kubernetes API does not answer: see the rack above for hosts that are off: %w", err)
	}
	fmt.Println("\nPods that are not running:")
	return w.run(ctx, "kubectl", "get", "pods", "-A", "--request-timeout=5s",
		"--field-selector=status.phase!=Running,status.phase!=Succeeded")
}
