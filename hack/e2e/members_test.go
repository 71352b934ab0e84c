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

func etcdMembers(ctx context.Context) string {
	GinkgoHelper()
	out, err := rack.Run(ctx, "kubectl", "exec", "-n", "kube-system", "etcd-a", "--", "etcdctl",
		"--cacert=/etc/kubernetes/pki/etcd/ca.crt", "--cert=/etc/kubernetes/pki/etcd/server.crt",
		"--key=/etc/kubernetes/pki/etcd/server.key", "member", "list")
	Expect(err).NotTo(HaveOccurred())
	return out
}

// replaceWithSpare is a change of config that puts the spare host in another's place.
func replaceWithSpare(e site.Environment, gone string) {
	address, err := rack.Address(14)
	Expect(err).NotTo(HaveOccurred())
	e.Remove(gone)
	e.Add("d", address, "r1")
}

func membersExchanged() {
	BeforeAll(func(ctx context.Context) {
		DeferCleanup(func(ctx context.Context) {
			Expect(rack.Configure(func(site.Environment) {})).To(Succeed())
			_, err := rack.Pulumi(ctx, "up", "--yes")
			Expect(err).NotTo(HaveOccurred())
			Expect(rack.PowerOff(ctx, "d")).To(Succeed())
		})
		Expect(rack.PowerOn(ctx, "d")).To(Succeed())
		Eventually(func() error { _, err := rack.SSH(ctx, "d", "true"); return err }).WithContext(ctx).Should(Succeed())
	})

	It("can be exchanged: the old one is drained, removed and reset before the new one joins", func(ctx context.Context) {
		client, url, err := rack.APIProbe()
		Expect(err).NotTo(HaveOccurred())
		watch := probe.Start(client, url, 100*time.Millisecond, time.Second)
		Expect(rack.Configure(func(e site.Environment) { replaceWithSpare(e, "c") })).To(Succeed())
		_, err = rack.Pulumi(ctx, "up", "--yes")
		Expect(err).NotTo(HaveOccurred())
		AddReportEntry("API while a control plane was exchanged", watch.Stop().String())

		allWell(ctx, "a", "b", "d")
		Expect(site.NodeReady(ctx, kube, "c")).To(Equal("Absent"))
		Expect(etcdMembers(ctx)).To(And(ContainSubstring("started, d,"), Not(ContainSubstring(" c,"))))
		out, err := rack.SSH(ctx, "c", `ls -A /etc/kubernetes /var/lib/etcd 2>/dev/null | wc -l; systemctl is-active kubelet; ls -d /var/lib/etcd/member`)
		Expect(err).To(HaveOccurred(), "no etcd data is left")
		Expect(out).To(ContainSubstring("inactive"))
		unchanged(ctx)
	})

	It("can be exchanged two at a time, and are one after the other", Label("slow"), func(ctx context.Context) {
		By("a, b, d -> a, c, plus b's place taken back")
		Expect(rack.Configure(func(e site.Environment) {
			e.Remove("b")
			replaceWithSpare(e, "c")
			e.Remove("d")
			e.Add("c", mustAddress(13), "r3")
		})).To(Succeed())
		_, err := rack.Pulumi(ctx, "up", "--yes")
		Expect(err).NotTo(HaveOccurred())
		allWell(ctx, "a", "c")
		Expect(rack.Configure(func(e site.Environment) { replaceWithSpare(e, "c") })).To(Succeed())
		_, err = rack.Pulumi(ctx, "up", "--yes")
		Expect(err).NotTo(HaveOccurred())
		allWell(ctx, "a", "b", "d")
	})
}

func mustAddress(last int) string {
	GinkgoHelper()
	address, err := rack.Address(last)
	Expect(err).NotTo(HaveOccurred())
	return address
}
