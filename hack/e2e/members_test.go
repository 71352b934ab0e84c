// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"strings"
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

var spares = []string{"d", "e"}

func membersExchanged() {
	BeforeAll(func(ctx context.Context) {
		DeferCleanup(func(ctx context.Context) {
			Expect(rack.Configure(func(site.Environment) {})).To(Succeed())
			_, err := rack.Pulumi(ctx, "up", "--yes")
			Expect(err).NotTo(HaveOccurred())
			for _, host := range spares {
				Expect(rack.PowerOff(ctx, host)).To(Succeed())
			}
			allWell(ctx, "a", "b", "c")
		})
		for _, host := range spares {
			Expect(rack.PowerOn(ctx, host)).To(Succeed())
			Eventually(func() error { _, err := rack.SSH(ctx, host, "true"); return err }).WithContext(ctx).Should(Succeed())
		}
	})

	It("exchanges two in one update, one after the other: drained, removed, reset, and then the next joins", func(ctx context.Context) {
		client, url, err := rack.APIProbe()
		Expect(err).NotTo(HaveOccurred())
		Expect(rack.Configure(func(e site.Environment) {
			e.Remove("b")
			e.Remove("c")
			e.Add("d", mustAddress(14), "r2")
			e.Add("e", mustAddress(15), "r3")
		})).To(Succeed())
		watch := probe.Start(client, url, 100*time.Millisecond, time.Second)
		fewest := countVoters(ctx)
		_, err = rack.Pulumi(ctx, "up", "--yes")
		Expect(err).NotTo(HaveOccurred())
		AddReportEntry("API while two control planes were exchanged", watch.Stop().String())
		Expect(fewest()).To(Equal(2), "the fewest members that etcd had: one was away at a time")

		allWell(ctx, "a", "d", "e")
		for _, host := range []string{"b", "c"} {
			Expect(site.NodeReady(ctx, kube, host)).To(Equal("Absent"))
			out, err := rack.SSH(ctx, host, `ls -d /var/lib/etcd/member /etc/kubernetes/manifests 2>/dev/null; systemctl is-active kubelet; true`)
			Expect(err).NotTo(HaveOccurred())
			Expect(strings.TrimSpace(out)).To(Equal("inactive"), "host "+host+" is reset")
		}
		members := etcdMembers(ctx)
		Expect(members).To(And(ContainSubstring("started, d,"), ContainSubstring("started, e,")))
		Expect(strings.Count(members, "started")).To(Equal(3))
		unchanged(ctx)
	})
}

// countVoters asks host a's etcd for its members again and again; it returns a function that ends this and says how
// few there were at the least.
func countVoters(ctx context.Context) func() int {
	ctx, cancel := context.WithCancel(ctx)
	fewest := make(chan int, 1)
	go func() {
		least := 3
		for ctx.Err() == nil {
			out, err := rack.Command(ctx, "rack", "ssh", "--rack", rack.Rack, "a", `c=/etc/kubernetes/pki/etcd
curl -s -m 2 --cacert $c/ca.crt --cert $c/server.crt --key $c/server.key -X POST -d '{}' https://127.0.0.1:2379/v3/cluster/member/list`).Output()
			if n := strings.Count(string(out), `"ID"`); err == nil && n > 0 {
				least = min(least, n)
			}
		}
		fewest <- least
	}()
	return func() int {
		cancel()
		return <-fewest
	}
}

func mustAddress(last int) string {
	GinkgoHelper()
	address, err := rack.Address(last)
	Expect(err).NotTo(HaveOccurred())
	return address
}
