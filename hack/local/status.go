// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	// askSeconds is how long one question to the cluster may take.
	askSeconds = "--request-timeout=5s"
	// nodeColumns fit into 100 columns, which kubectl's own do not.
	nodeColumns = "custom-columns=" +
		"NODE:.metadata.name,READY:.status.conditions[?(@.type==\"Ready\")].status,VERSION:.status.nodeInfo.kubeletVersion," +
		"ADDRESS:.status.addresses[?(@.type==\"InternalIP\")].address,RACK:.metadata.labels.topology\\.kubernetes\\.io/zone"
	// unready is a line for each service that is not ready: namespace/name and why.
	unready = `jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name}` +
		`{range .status.conditions[?(@.type=="Ready")]} {.status} {.reason}{end}{"\n"}{end}`
)

// serviceKinds are the kinds of services. They refuse to be deleted while they hold acknowledged work.
var serviceKinds = []string{"messagingservices.messaging.spine.nhs.uk", "bookingservices.booking.ers.nhs.uk"}

// servedKinds are those that the cluster knows; a site without services knows none.
func (w *workspace) servedKinds(ctx context.Context) ([]string, error) {
	out, err := w.output(ctx, "kubectl", append([]string{"get", "crd", "--ignore-not-found", "-o", "name", askSeconds}, serviceKinds...)...)
	var kinds []string
	for _, line := range strings.Fields(string(out)) {
		_, kind, _ := strings.Cut(line, "/")
		kinds = append(kinds, kind)
	}
	return kinds, err
}

// status shows the rack, the nodes, the services and every pod that is not well.
func (w *workspace) status(ctx context.Context) error {
	if err := w.run(ctx, "rack", w.rackArgs("status")...); err != nil {
		return err
	}
	members, err := w.members()
	if err != nil {
		return err
	}
	for _, m := range members {
		fmt.Printf("\n%s:\n", m)
		// A site that is dead must not hide the other one.
		if err := w.of(m).clusterStatus(ctx); err != nil {
			fmt.Println(err)
		}
	}
	if len(members) > 0 {
		return nil
	}
	return w.clusterStatus(ctx)
}

// clusterStatus shows the nodes, the services and every pod that is not well.
func (w *workspace) clusterStatus(ctx context.Context) error {
	if _, err := os.Stat(w.kubeconfig()); err != nil {
		fmt.Printf("\nNo cluster yet: `make up` makes it.\n")
		return nil
	}
	fmt.Println()
	if err := w.run(ctx, "kubectl", "get", "nodes", "-o", nodeColumns, askSeconds); err != nil {
		return fmt.Errorf("the Kubernetes API does not answer: see the rack above for hosts that are off: %w", err)
	}
	if err := w.serviceStatus(ctx); err != nil {
		return err
	}
	fmt.Println("\nPods that are not running:")
	return w.run(ctx, "kubectl", "get", "pods", "-A", askSeconds, "--field-selector=status.phase!=Running,status.phase!=Succeeded")
}

// serviceStatus shows the services, and for each that is not ready which page says what to do.
func (w *workspace) serviceStatus(ctx context.Context) error {
	kinds, err := w.servedKinds(ctx)
	if err != nil {
		return err
	}
	var unwell []string
	for _, kind := range kinds {
		out, err := w.output(ctx, "kubectl", "get", kind, "-A", "-o", unready, askSeconds)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(out)) {
			words := strings.Fields(line)
			namespace, name, _ := strings.Cut(words[0], "/")
			fmt.Println()
			if err := w.run(ctx, "kubectl", "get", kind, name, "--namespace="+namespace, askSeconds); err != nil {
				return err
			}
			if len(words) == 3 && words[1] != "True" {
				unwell = append(unwell, w.unwell(name, words[2]))
			}
		}
	}
	for _, line := range unwell {
		fmt.Println("\n" + line)
	}
	return nil
}

// unwell says why a service is not ready, and which page helps: not every reason needs a person.
func (w *workspace) unwell(service, reason string) string {
	text := fmt.Sprintf("%s is not ready: %s", service, reason)
	page := filepath.Join("runbooks", reason+".md")
	if _, err := os.Stat(filepath.Join(w.root, page)); err == nil {
		text += ": see " + page
	}
	return text
}
