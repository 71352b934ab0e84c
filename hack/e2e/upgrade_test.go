// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spine.nhs.uk/controlplane/hack/probe"
	"spine.nhs.uk/controlplane/hack/site"
)

func upgraded() {
	const before, after = "v1.36.2", "v1.36.3"
	version := func(v string) func(site.Environment) {
		return func(e site.Environment) { e["kubernetes"].(map[string]any)["version"] = v }
	}
	runs := func(ctx context.Context, want string) {
		GinkgoHelper()
		nodes, err := kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		Expect(err).NotTo(HaveOccurred())
		for _, n := range nodes.Items {
			Expect(n.Status.NodeInfo.KubeletVersion).To(Equal(want), n.Name)
		}
	}

	It("goes from one patch of Kubernetes to the next, a host at a time", Label("slow"), func(ctx context.Context) {
		By("bringing it up anew with " + before)
		_, err := rack.Pulumi(ctx, "destroy", "--yes")
		Expect(err).NotTo(HaveOccurred())
		Expect(rack.PushImages(ctx, before)).To(Succeed())
		Expect(rack.Configure(version(before))).To(Succeed())
		_, err = rack.Pulumi(ctx, "up", "--yes")
		Expect(err).NotTo(HaveOccurred())
		Expect(rack.WriteKubeconfig(ctx)).To(Succeed())
		kube, err = rack.Kube()
		Expect(err).NotTo(HaveOccurred())
		allWell(ctx, "a", "b", "c")
		runs(ctx, before)

		By("previewing " + after)
		Expect(rack.Configure(version(after))).To(Succeed())
		out, err := rack.Pulumi(ctx, "preview", "--diff")
		Expect(err).NotTo(HaveOccurred())
		Expect(out).To(ContainSubstring(`"` + before + `" => "` + after + `"`))

		By("upgrading")
		client, url, err := rack.APIProbe()
		Expect(err).NotTo(HaveOccurred())
		watch := probe.Start(client, url, 100*time.Millisecond, time.Second)
		begin := time.Now()
		_, err = rack.Pulumi(ctx, "up", "--yes")
		Expect(err).NotTo(HaveOccurred())
		AddReportEntry("upgrade of three control planes", time.Since(begin).Round(time.Second).String())
		AddReportEntry("API during the upgrade", watch.Stop().String())
		allWell(ctx, "a", "b", "c")
		runs(ctx, after)
		unchanged(ctx)
	})
}
