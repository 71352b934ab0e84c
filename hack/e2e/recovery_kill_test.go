// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	resilience "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

var managerLabels = client.MatchingLabels{"app.kubernetes.io/name": "spine-manager"}

// killAtEachStep kills both replicas of the manager once while each step of an operation runs, until ctx ends. It returns
// the steps that it met: one may be over before it is seen.
func killAtEachStep(ctx context.Context, key client.ObjectKey) []string {
	var met []string
	seen := map[string]bool{}
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return met
		case <-again.C:
		}
		o := &resilience.ServiceRecovery{}
		if err := objects.Get(ctx, key, o); err != nil {
			continue // the API server that was asked may be on the host that the operation takes away
		}
		for _, s := range o.Status.Steps {
			if s.State == resilience.StepRunning && !seen[s.Name] {
				seen[s.Name] = true
				met = append(met, s.Name)
				killManagers(ctx)
			}
		}
	}
}

// killManagers kills them as kill -9 does: nothing is finished and no lease is given back. Then it deletes their pods, as
// one that crashes again and again is restarted later and later.
func killManagers(ctx context.Context) {
	pods := &corev1.PodList{}
	if err := objects.List(ctx, pods, client.InNamespace(systemNS), managerLabels); err != nil {
		return // the operation has ended, or the next step kills them
	}
	for _, p := range pods.Items {
		// By its whole name: the programs of others are called manager, too. On a host that is off there is none left.
		if out, err := rack.SSH(ctx, p.Spec.NodeName, "pkill -9 -f '^/manager '"); err != nil {
			fmt.Fprintf(GinkgoWriter, "manager on host %s: %v %s\n", p.Spec.NodeName, err, out)
		}
	}
	now := int64(0)
	err := objects.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(systemNS), managerLabels,
		&client.DeleteAllOfOptions{DeleteOptions: client.DeleteOptions{GracePeriodSeconds: &now}})
	if err != nil {
		fmt.Fprintf(GinkgoWriter, "the manager's pods: %v\n", err)
	}
}

// disturbed carries an operation out while the manager is killed at each of its steps.
func disturbed(ctx context.Context, by, other client.Client, o *resilience.ServiceRecovery, within time.Duration) {
	GinkgoHelper()
	disturbing, stop := context.WithCancel(ctx)
	met := make(chan []string, 1)
	go func() {
		defer GinkgoRecover()
		defer close(met)
		met <- killAtEachStep(disturbing, client.ObjectKeyFromObject(o))
	}()
	defer func() {
		stop()
		AddReportEntry("manager killed", fmt.Sprintf("during %s of %s", strings.Join(<-met, ", "), o.Spec.Action))
	}()
	carryOut(ctx, by, other, o, within)
}
