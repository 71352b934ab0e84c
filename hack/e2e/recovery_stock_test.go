// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"spine.nhs.uk/controlplane/hack/site"
)

// Kubernetes' own settings: a silent node is NotReady after 50 s, and its pods are given up after 300 s.
const stockGraceSeconds, stockEvictionSeconds = 50, 300

// besideStock measures in one run how long the services' programs lack a replica after a host's power was cut: as the
// site is, and with Kubernetes' own settings and nobody to fence the host.
func besideStock(ctx context.Context, by client.Client) {
	ours := lossOfHost(ctx, func(context.Context, string) {})

	settings := func(change func(site.Environment)) {
		Expect(rack.Configure(func(e site.Environment) { shortCoolDown(e); change(e) })).To(Succeed())
		_, err := rack.Pulumi(ctx, "up", "--yes")
		Expect(err).NotTo(HaveOccurred())
		// Pods keep the tolerations that they were made with.
		for _, namespace := range []string{messagingKey.Namespace, bookingKey.Namespace} {
			for _, component := range []string{"gateway", "service"} {
				Expect(objects.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(namespace), client.MatchingLabels{"spine.nhs.uk/component": component})).To(Succeed())
			}
		}
		redundant(ctx, 5*time.Minute)
	}
	settings(func(e site.Environment) {
		e["timings"] = map[string]any{"nodeMonitorGraceSeconds": stockGraceSeconds, "evictionSeconds": stockEvictionSeconds}
	})
	stock := lossOfHost(ctx, func(ctx context.Context, host string) { leftAlone(ctx, by, host) })
	settings(func(site.Environment) {})
	AddReportEntry("host loss to all programs replaced", fmt.Sprintf("%s; with Kubernetes' own settings %s", ours, stock))
	Expect(ours).To(BeNumerically("<", time.Minute))
	Expect(stock).To(BeNumerically(">", ours))
}

// lossOfHost cuts the power of a host with a gateway, and returns how long it took until every program had all its
// replicas ready on the other hosts. Afterwards the host is back.
func lossOfHost(ctx context.Context, prepare func(ctx context.Context, host string)) time.Duration {
	GinkgoHelper()
	redundant(ctx, 5*time.Minute)
	host := programPods(ctx, messagingKey.Namespace, "spine-gateway")[0].Spec.NodeName
	prepare(ctx, host)
	struck := time.Now()
	Expect(rack.PowerOff(ctx, host)).To(Succeed())
	Eventually(func(g Gomega) { programsElsewhere(ctx, g, host) }).WithContext(ctx).WithTimeout(8 * time.Minute).Should(Succeed())
	took := time.Since(struck).Round(time.Second)
	Expect(rack.PowerOn(ctx, host)).To(Succeed())
	allWell(ctx, "a", "b", "c")
	redundant(ctx, 5*time.Minute)
	return took
}

// programsElsewhere expects all replicas of both programs, ready, on other hosts than that.
func programsElsewhere(ctx context.Context, g Gomega, host string) {
	for namespace, deployment := range map[string]string{messagingKey.Namespace: "spine-gateway", bookingKey.Namespace: "ers-service"} {
		pods := &corev1.PodList{}
		g.Expect(objects.List(ctx, pods, client.InNamespace(namespace))).To(Succeed())
		g.Expect(readyElsewhere(pods.Items, deployment, host)).To(Equal(2), deployment)
	}
}

// readyElsewhere counts a program's ready pods on other hosts than that.
func readyElsewhere(pods []corev1.Pod, deployment, host string) int {
	n := 0
	for _, p := range pods {
		ready := slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		})
		if strings.HasPrefix(p.Name, deployment+"-") && p.Spec.NodeName != host && p.DeletionTimestamp == nil && ready {
			n++
		}
	}
	return n
}
