// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package messagingservice

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/operatortest"
)

var _ = Describe("A MessagingService that an operation holds", func() {
	wanted := operatortest.Image("message-gateway", '2')

	It("changes no part until the lease is given back", func(ctx SpecContext) {
		b := running(ctx, "held")
		_, release, err := cluster.Hold(ctx, "MessagingService", b.key.Namespace, b.key.Name)
		Expect(err).NotTo(HaveOccurred())
		b.change(func(m *api.MessagingService) { m.Spec.Gateway.Image = wanted })
		before := b.deployment().ResourceVersion
		b.step(30 * time.Second)
		Expect(b.deployment().ResourceVersion).To(Equal(before))
		Expect(b.condition("Progressing").Message).To(Equal("ServiceRecovery spine-messaging/recover-held is running: nothing is changed meanwhile"))

		Expect(release()).To(Succeed())
		b.step(30 * time.Second)
		Expect(b.deployment().Spec.Template.Spec.Containers[0].Image).To(BeEquivalentTo(wanted))
	})

	It("goes on when the operation was deleted and its lease left behind", func(ctx SpecContext) {
		b := running(ctx, "left")
		o, _, err := cluster.Hold(ctx, "MessagingService", b.key.Namespace, b.key.Name)
		Expect(err).NotTo(HaveOccurred())
		b.change(func(m *api.MessagingService) { m.Spec.Gateway.Image = wanted })
		Expect(cluster.Client.Delete(ctx, o)).To(Succeed())
		b.step(30 * time.Second)
		Expect(b.deployment().Spec.Template.Spec.Containers[0].Image).To(BeEquivalentTo(wanted))
	})

	It("runs no gateway while the operation says so, and lets them run again once it has ended", func(ctx SpecContext) {
		b := running(ctx, "stopped")
		_, release, err := cluster.Hold(ctx, "MessagingService", b.key.Namespace, b.key.Name)
		Expect(err).NotTo(HaveOccurred())
		m := b.get()
		patch := client.MergeFrom(m.DeepCopy())
		m.Annotations = map[string]string{common.HeldAnnotation: "recover-stopped"}
		Expect(manager.Patch(ctx, m, patch)).To(Succeed())
		b.step(30 * time.Second)
		Expect(b.get().Annotations).To(HaveKey(common.HeldAnnotation), "it is the operation's to stop them, and to say when")

		Expect(release()).To(Succeed())
		b.step(30 * time.Second)
		b.step(30 * time.Second)
		Expect(b.get().Annotations).NotTo(HaveKey(common.HeldAnnotation))
		Expect(b.deployment().Spec.Replicas).To(HaveValue(BeEquivalentTo(2)))
	})
})
