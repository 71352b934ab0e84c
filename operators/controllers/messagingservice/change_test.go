// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package messagingservice

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	desired "spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/operatortest"
)

func (b *bench) image() string {
	return b.deployment().Spec.Template.Spec.Containers[0].Image
}

func (b *bench) databaseImage() string {
	GinkgoHelper()
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(database.GVK)
	Expect(cluster.Client.Get(b.ctx, client.ObjectKey{Namespace: b.key.Namespace, Name: b.key.Name + "-db"}, u)).To(Succeed())
	image, _, _ := unstructured.NestedString(u.Object, "spec", "imageName")
	return image
}

func (b *bench) brokerImage() string {
	GinkgoHelper()
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(desired.BrokerGVK)
	Expect(cluster.Client.Get(b.ctx, client.ObjectKey{Namespace: b.key.Namespace, Name: b.key.Name + "-broker"}, u)).To(Succeed())
	image, _, _ := unstructured.NestedString(u.Object, "spec", "image")
	return image
}

var _ = Describe("A change", func() {
	newDB, newBroker := string(operatortest.Image("postgresql", '2')), string(operatortest.Image("rabbitmq", '2'))
	oldGateway, newGateway := string(operatortest.Image("message-gateway", '1')), string(operatortest.Image("message-gateway", '2'))

	It("takes one part at a time, each only while all members are there", func(ctx SpecContext) {
		b := running(ctx, "order")
		b.change(func(m *api.MessagingService) {
			m.Spec.Database.Image, m.Spec.Broker.Image, m.Spec.Gateway.Image = common.Image(newDB), common.Image(newBroker), common.Image(newGateway)
		})
		b.step(10 * time.Second)
		Expect(b.databaseImage()).To(Equal(newDB))
		Expect(b.brokerImage()).NotTo(Equal(newBroker))
		Expect(b.image()).To(Equal(oldGateway))
		generation := b.get().Generation
		Expect(b.get().Status.ObservedGeneration).To(BeNumerically("<", generation), "it is not brought about yet")

		By("waiting while the database has a member less")
		b.engines(2, 3)
		b.step(30 * time.Second)
		Expect(b.brokerImage()).NotTo(Equal(newBroker))
		Expect(b.condition("Progressing").Reason).To(Equal(common.ReasonQuorumAtRisk))
		Expect(b.condition("Redundancy").Status).To(Equal(metav1.ConditionFalse))

		b.engines(3, 3)
		b.step(30 * time.Second)
		Expect(b.brokerImage()).To(Equal(newBroker))
		Expect(b.image()).To(Equal(oldGateway))
		b.engines(3, 3)
		b.step(30 * time.Second)
		Expect(b.image()).To(Equal(newGateway))

		b.gateways(2, 2)
		b.pod("order-2", newGateway, "10.1.2.1")
		b.step(10 * time.Second)
		b.step(10 * time.Second)
		Expect(b.condition("Progressing").Status).To(Equal(metav1.ConditionFalse))
		Expect(b.get().Status.Gateway.LastGoodImage).To(Equal(newGateway))
		Expect(b.get().Status.ObservedGeneration).To(Equal(generation))
	})

	It("of the gateway is good by the word of new gateways only, and by their last word", func(ctx SpecContext) {
		b := running(ctx, "word")
		b.change(func(m *api.MessagingService) { m.Spec.Gateway.Image = common.Image(newGateway) })
		b.step(10 * time.Second)
		Expect(b.image()).To(Equal(newGateway))

		By("not taking the old gateways' word for it")
		b.gateways(2, 2)
		b.pod("word-old", oldGateway, "10.1.3.1")
		for range 6 {
			b.step(10 * time.Second)
		}
		Expect(b.get().Status.Probe.ConsecutiveFailures).To(BeZero(), "clients are served all the time")
		Expect(b.get().Status.Gateway.LastGoodImage).To(Equal(oldGateway))
		Expect(b.get().Status.Gateway.ProbePassedTime).To(BeNil())
		Expect(b.condition("Progressing").Reason).To(Equal(common.ReasonChanging))

		By("not taking a new gateway's word while another new one fails")
		b.gateways(1, 2)
		b.pod("word-2", newGateway, "10.1.3.2")
		b.step(10 * time.Second)
		Expect(b.get().Status.Gateway.ProbePassedTime).NotTo(BeNil())
		b.gateways(2, 2)
		b.pod("word-3", newGateway, "10.1.3.3")
		b.prober.Fail("10.1.3.3:8446", "broker")
		b.step(10 * time.Second)
		Expect(b.get().Status.Gateway.LastGoodImage).To(Equal(oldGateway))
		Expect(b.get().Status.Gateway.ProbeFailures).To(BeEquivalentTo(1))

		b.prober.Fail("10.1.3.3:8446", "")
		b.step(10 * time.Second)
		Expect(b.get().Status.Gateway.LastGoodImage).To(Equal(newGateway))
		Expect(b.get().Status.Gateway.ProbePassedTime).To(BeNil(), "no change is in progress")
	})

	It("of the gateway is rolled back when the deep probe fails, and stays back", func(ctx SpecContext) {
		b := running(ctx, "back")
		b.change(func(m *api.MessagingService) { m.Spec.Gateway.Image = common.Image(newGateway) })
		b.step(10 * time.Second)
		Expect(b.image()).To(Equal(newGateway))
		b.gateways(1, 2)

		By("asking the new gateway itself: the old one hides nothing")
		b.pod("back-2", newGateway, "10.1.1.1")
		b.prober.Fail("10.1.1.1:8446", "ledger")
		for range 3 {
			b.step(5 * time.Second)
		}
		Expect(b.image()).To(Equal(oldGateway))
		Expect(b.condition("Stalled").Reason).To(Equal(common.ReasonRolledBack))
		Expect(b.condition("Stalled").Message).To(ContainSubstring("the deep probe failed at stage ledger"))
		Expect(b.get().Status.Gateway.RejectedImage).To(Equal(newGateway))

		b.prober.Fail("10.1.1.1:8446", "")
		b.gateways(2, 2)
		for range 4 {
			b.step(30 * time.Second)
		}
		Expect(b.image()).To(Equal(oldGateway))
		Expect(b.condition("Stalled").Reason).To(Equal(common.ReasonRolledBack), "until the specification changes")
		Expect(b.condition("Ready").Status).To(Equal(metav1.ConditionTrue))

		third := operatortest.Image("message-gateway", '3')
		b.change(func(m *api.MessagingService) { m.Spec.Gateway.Image = third })
		b.step(10 * time.Second)
		b.gateways(2, 2)
		b.pod("back-3", string(third), "10.1.1.3")
		b.step(10 * time.Second)
		b.step(10 * time.Second)
		Expect(b.condition("Stalled").Status).To(Equal(metav1.ConditionFalse))
		Expect(b.get().Status.Gateway.LastGoodImage).To(BeEquivalentTo(third))
	})

	It("of the gateway mends a path that fails, and is judged by new gateways", func(ctx SpecContext) {
		b := running(ctx, "mends")
		b.prober.Fail(desired.OpsAddress(b.get()), "broker")
		for range 3 {
			b.step(time.Minute)
		}
		Expect(b.condition("DeepProbe").Status).To(Equal(metav1.ConditionFalse))
		b.change(func(m *api.MessagingService) { m.Spec.Gateway.Image = common.Image(newGateway) })
		b.step(time.Minute)
		Expect(b.image()).To(Equal(newGateway))
		b.gateways(1, 2)
		b.pod("mends-2", newGateway, "10.1.4.2")
		for range 5 {
			b.step(5 * time.Second)
		}
		Expect(b.image()).To(Equal(newGateway), "the old gateways' failures are not its own")
		b.prober.Fail(desired.OpsAddress(b.get()), "")
		b.gateways(2, 2)
		b.step(5 * time.Second)
		Expect(b.get().Status.Gateway.LastGoodImage).To(Equal(newGateway))
	})

	It("of the gateway is rolled back when it does not become available in time", func(ctx SpecContext) {
		b := running(ctx, "late")
		b.change(func(m *api.MessagingService) { m.Spec.Gateway.Image = common.Image(newGateway) })
		b.step(10 * time.Second)
		b.gateways(1, 2)
		b.step(14 * time.Minute)
		Expect(b.image()).To(Equal(newGateway))
		b.step(2 * time.Minute)
		Expect(b.image()).To(Equal(oldGateway))
		Expect(b.condition("Stalled").Reason).To(Equal(common.ReasonRolledBack))
	})

	It("waits while the deep probe fails", func(ctx SpecContext) {
		b := running(ctx, "probe")
		b.prober.Fail("", "broker")
		for range 3 {
			b.step(time.Minute)
		}
		b.change(func(m *api.MessagingService) { m.Spec.Database.Image = common.Image(newDB) })
		b.step(time.Minute)
		Expect(b.databaseImage()).NotTo(Equal(newDB))
		Expect(b.condition("Progressing").Reason).To(Equal(common.ReasonProbeFailed))
		b.prober.Fail("", "")
		b.step(time.Minute)
		Expect(b.databaseImage()).To(Equal(newDB))
	})

	It("is remembered when the manager ends before it wrote it down", func(ctx SpecContext) {
		b := running(ctx, "forgotten")
		b.change(func(m *api.MessagingService) { m.Spec.Gateway.Image = common.Image(newGateway) })
		b.step(10 * time.Second)
		m := b.get()
		m.Status.Gateway.StartedAt, m.Status.Gateway.CurrentImage = nil, oldGateway
		Expect(cluster.Client.Status().Update(ctx, m)).To(Succeed())
		b.gateways(1, 2)
		b.step(5 * time.Second)
		Expect(b.get().Status.Gateway.StartedAt).NotTo(BeNil())
		Expect(b.condition("Progressing").Status).To(Equal(metav1.ConditionTrue))

		By("not taking the old gateways' word for it all the same")
		b.gateways(2, 2)
		for range 3 {
			b.step(time.Minute)
		}
		Expect(b.get().Status.Gateway.LastGoodImage).To(Equal(oldGateway))
	})
})
