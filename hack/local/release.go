// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

const (
	// forcedReason is why services go with everything that they hold; their events repeat it.
	forcedReason = "make down: the practice site goes with all that it holds"
	// releaseSeconds is how long the manager may take to let a service go: it needs one, when it is well.
	releaseSeconds = "20s"
)

// releaseServices has the services let go of what they hold, so that the stack can be destroyed: who takes a practice
// site down wants that. It never stands in the way: a cluster that does not answer is wiped with its hosts.
func (w *workspace) releaseServices(ctx context.Context) {
	if _, err := os.Stat(w.kubeconfig()); err != nil {
		return // there never was a cluster
	}
	if err := w.deleteServices(ctx); err != nil {
		fmt.Printf("    the services go with their hosts, as the cluster does not let them go: %v\n", err)
	}
}

func (w *workspace) deleteServices(ctx context.Context) error {
	kinds, err := w.servedKinds(ctx)
	if err != nil {
		return err
	}
	for _, kind := range kinds {
		found, err := w.output(ctx, "kubectl", "get", kind, "--all-namespaces", askSeconds,
			"-o", `jsonpath={range .items[*]}{.metadata.namespace}{"/"}{.metadata.name}{"\n"}{end}`)
		if err != nil {
			return err
		}
		for _, service := range strings.Fields(string(found)) {
			namespace, name, _ := strings.Cut(service, "/")
			if err := w.deleteService(ctx, kind, name, "--namespace="+namespace); err != nil {
				return err
			}
			fmt.Printf("    %s is gone, with all that it held\n", service)
		}
	}
	return nil
}

// deleteService gives the reason and deletes. Where the manager is gone that would take its finalizer off, it is taken
// off here: nothing of the cluster outlives this command.
func (w *workspace) deleteService(ctx context.Context, object ...string) error {
	kubectl := func(verb string, args ...string) error {
		_, err := w.output(ctx, "kubectl", append(append([]string{verb}, object...), args...)...)
		return err
	}
	if err := kubectl("annotate", "--overwrite", common.ForceDeleteAnnotation+"="+forcedReason, askSeconds); err != nil {
		return err
	}
	if err := kubectl("delete", "--ignore-not-found", "--timeout="+releaseSeconds); err == nil {
		return nil
	}
	return kubectl("patch", "--type=merge", `--patch={"metadata":{"finalizers":null}}`, askSeconds)
}
