// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package messagingservice

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
)

var _ = Describe("What operations write on a MessagingService", func() {
	It("counts beside the specification, until it is taken away", func(ctx SpecContext) {
		b := running(ctx, "overrides")
		traffic := func() map[string]api.Traffic {
			var c corev1.ConfigMap
			Expect(cluster.Client.Get(ctx, client.ObjectKey{Namespace: b.key.Namespace, Name: "overrides-gateway"}, &c)).To(Succeed())
			config, err := api.DecodeGatewayConfig([]byte(c.Data["gateway.yaml"]))
			Expect(err).NotTo(HaveOccurred())
			out := map[string]api.Traffic{}
			for _, s := range config.Suppliers {
				out[s.Name] = s.Traffic
			}
			return out
		}
		b.change(func(m *api.MessagingService) {
			m.Annotations = map[string]string{common.StoppedSuppliersAnnotation: "load,nobody", common.ReplicasAnnotation: "3"}
		})
		b.step(30 * time.Second)
		Expect(traffic()).To(Equal(map[string]api.Traffic{"load": api.TrafficStopped, "pharmacy": api.TrafficOpen}))
		Expect(b.condition("Backlog").Reason).To(Equal(common.ReasonSupplierStopped))
		Expect(b.condition("Backlog").Message).To(HaveSuffix("stopped to load"))
		Expect(b.deployment().Spec.Replicas).To(HaveValue(BeEquivalentTo(3)))
		b.gateways(3, 2)
		b.step(30 * time.Second)
		Expect(b.get().Status.Redundancy.Summary).To(HaveSuffix("2/3 gateway"), "a gateway that was asked for is missed")

		b.gateways(3, 3)
		b.step(30 * time.Second)
		b.step(30 * time.Second)
		b.change(func(m *api.MessagingService) { m.Annotations = nil })
		b.step(30 * time.Second)
		Expect(traffic()).To(HaveKeyWithValue("load", api.TrafficOpen))
		Expect(b.deployment().Spec.Replicas).To(HaveValue(BeEquivalentTo(2)))
	})

	It("does not change the template: gateways are added, none is replaced", func(ctx SpecContext) {
		b := running(ctx, "template")
		before := b.deployment().Spec.Template
		b.change(func(m *api.MessagingService) { m.Annotations = map[string]string{common.ReplicasAnnotation: "4"} })
		b.step(30 * time.Second)
		Expect(b.deployment().Spec.Replicas).To(HaveValue(BeEquivalentTo(4)))
		Expect(b.deployment().Spec.Template).To(Equal(before))
	})
})
