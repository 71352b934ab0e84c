// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func changedByHand() {
	It("is shown by `pulumi refresh`, item by item", func(ctx context.Context) {
		_, err := rack.SSH(ctx, "b", `set -e
systemctl disable --now kubelet
echo '# edited by hand' >> /etc/containerd/config.toml
sed -i '/net.ipv4.ip_forward/d' /etc/sysctl.d/90-spine.conf
sysctl -qw net.ipv4.ip_forward=0`)
		Expect(err).NotTo(HaveOccurred())

		out, err := rack.Pulumi(ctx, "refresh", "--yes", "--diff")
		Expect(err).NotTo(HaveOccurred())
		Expect(out).To(ContainSubstring("disabled, inactive"), "kubelet's unit")
		Expect(out).To(ContainSubstring("/etc/containerd/config.toml"))
		Expect(out).To(ContainSubstring("net.ipv4.ip_forward"))
	})

	It("is repaired by `pulumi up`, and only in that", func(ctx context.Context) {
		out, err := rack.Pulumi(ctx, "up", "--yes", "--diff")
		Expect(err).NotTo(HaveOccurred())
		Expect(out).NotTo(ContainSubstring("replaced"))

		out, err = rack.SSH(ctx, "b", `systemctl is-enabled kubelet; systemctl is-active kubelet containerd; sysctl -n net.ipv4.ip_forward
tail -1 /etc/containerd/config.toml; grep -c ip_forward /etc/sysctl.d/90-spine.conf`)
		Expect(err).NotTo(HaveOccurred())
		Expect(out).To(ContainSubstring("enabled\nactive\nactive\n1\n"))
		Expect(out).NotTo(ContainSubstring("edited by hand"))
		allWell(ctx, "a", "b", "c")
		_, err = rack.Pulumi(ctx, "refresh", "--yes", "--expect-no-changes")
		Expect(err).NotTo(HaveOccurred())
	})
}
