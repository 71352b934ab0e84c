// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// takenDown comes last: after it there is no site.
func takenDown() {
	It("`pulumi destroy` with a reason leaves the hosts as they were", func(ctx context.Context) {
		holding := map[string]client.ObjectKey{}
		if rack.Services {
			holding = map[string]client.ObjectKey{"msgsvc": messagingKey, "booksvc": bookingKey}
		}
		for kind, key := range holding {
			_, err := rack.Run(ctx, "kubectl", "annotate", kind, key.Name, "-n", key.Namespace, common.ForceDeleteAnnotation+"=the end-to-end suite is over")
			Expect(err).NotTo(HaveOccurred())
		}
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

// refusedDestroy asks for the whole site to be destroyed while appointments are still to come.
func refusedDestroy(ctx context.Context) {
	before := &booking.BookingService{}
	Expect(objects.Get(ctx, bookingKey, before)).To(Succeed())
	Expect(before.Status.Backlog).NotTo(BeNil())
	Expect(before.Status.Backlog.Bookings).To(BeNumerically(">", 0), "appointments still to come")
	out, err := rack.Pulumi(ctx, "destroy", "--yes")
	Expect(err).To(HaveOccurred())
	for _, want := range []string{
		"nothing was deleted", fmt.Sprintf("%d appointments still to come", before.Status.Backlog.Bookings), common.ForceDeleteAnnotation,
	} {
		Expect(oneLine(out)).To(ContainSubstring(want))
	}
	after := &booking.BookingService{}
	Expect(objects.Get(ctx, bookingKey, after)).To(Succeed())
	Expect(after.UID).To(Equal(before.UID))
	Expect(after.DeletionTimestamp).To(BeNil())
	unchanged(ctx)
	redundant(ctx, time.Minute)
}

// oneLine undoes the wrapping of the console.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
