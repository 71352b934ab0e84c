// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// takenDown comes last: after it there is no site.
func takenDown() {
	It("`pulumi destroy` leaves the hosts as they were", func(ctx context.Context) {
		_, err := rack.Pulumi(ctx, "destroy", "--yes")
		Expect(err).NotTo(HaveOccurred())
		for _, host := range []string{"a", "b", "c"} {
			out, err := rack.SSH(ctx, host, `for p in /etc/kubernetes /opt/spine /var/lib/kubelet/config.yaml /var/lib/etcd/member \
  /etc/cni/net.d /etc/sysctl.d/90-spine.conf /etc/keepalived/keepalived.conf /usr/local/bin/kubeadm; do ls -A $p 2>/dev/null | sed "s|^|left: $p |"; done
ip -o link | grep -E 'kube-bridge|kube-dummy|veth' | sed 's/^/left: /'
systemctl is-active kubelet containerd keepalived; true`)
			Expect(err).NotTo(HaveOccurred())
			Expect(out).NotTo(ContainSubstring("left:"), "host "+host)
			Expect(strings.Split(out, "\n")).NotTo(ContainElement("active"), "host "+host)
		}
	})

	It("`make down` leaves the machine as it was", func(ctx context.Context) {
		Expect(rack.Down(ctx)).To(Succeed())
		after := takeSnapshot()
		if machineSysctl != "" && !anyRackUp() { // the last rack to go puts it back
			Expect(sysctl("net/bridge/bridge-nf-call-iptables")).To(Equal(machineSysctl))
		}
		for what, before := range machine {
			Expect(after[what]).To(ConsistOf(before), what)
		}
	})
}
