// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"spine.nhs.uk/controlplane/hack/probe"
	"spine.nhs.uk/controlplane/hack/site"
)

func hostLoss() {
	DescribeTable("A host whose power is cut, without warning", func(ctx context.Context, host string) {
		allWell(ctx, "a", "b", "c")
		client, url, err := rack.APIProbe()
		Expect(err).NotTo(HaveOccurred())
		watch := probe.Start(client, url, 100*time.Millisecond, time.Second)

		cut := time.Now()
		Expect(rack.PowerOff(ctx, host)).To(Succeed())
		Eventually(func() (string, error) { return site.NodeReady(ctx, kube, host) }).
			WithContext(ctx).WithTimeout(25*time.Second-time.Since(cut)).Should(Equal("Unknown"), "reported not ready within 25 s")
		AddReportEntry("node "+host+" reported not ready after", time.Since(cut).Round(100*time.Millisecond).String())
		report := watch.Stop()
		AddReportEntry("API while host "+host+" was lost", report.String())
		Expect(report.LongestGap).To(BeNumerically("<", 10*time.Second), report.LastFailure)

		By("powering it on again: it rejoins by itself")
		Expect(rack.PowerOn(ctx, host)).To(Succeed())
		allWell(ctx, "a", "b", "c")
		unchanged(ctx)
	},
		Entry("host a", "a"),
		Entry("host b", "b"),
		Entry("host c", "c"),
	)
}
