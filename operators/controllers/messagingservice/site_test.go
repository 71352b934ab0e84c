// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package messagingservice

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/operatortest"
	"spine.nhs.uk/controlplane/operators/ports"
)

// paired puts a service at the eastern one of two sites, where it begins as the active one.
func paired(m *api.MessagingService) { m.Spec.Site = operatortest.Site(common.RoleActive) }

func (b *bench) order(o common.SiteOrder) {
	GinkgoHelper()
	b.annotate(o.Annotations())
}

// annotate as the manager, who alone may.
func (b *bench) annotate(annotations map[string]string) {
	GinkgoHelper()
	m := b.get()
	before := client.MergeFrom(m.DeepCopy())
	m.Annotations = map[string]string{}
	for k, v := range annotations {
		if v != "" {
			m.Annotations[k] = v
		}
	}
	Expect(manager.Patch(b.ctx, m, before)).To(Succeed())
}

func (b *bench) replica() map[string]any {
	GinkgoHelper()
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(database.GVK)
	Expect(cluster.Client.Get(b.ctx, client.ObjectKey{Namespace: b.key.Namespace, Name: b.key.Name + "-db"}, u)).To(Succeed())
	replica, _, err := unstructured.NestedMap(u.Object, "spec", "replica")
	Expect(err).NotTo(HaveOccurred())
	return replica
}

func (b *bench) asked() int32 { GinkgoHelper(); return *b.deployment().Spec.Replicas }

func (b *bench) site() common.SiteStatus { GinkgoHelper(); return *b.get().Status.Site }

var _ = Describe("A MessagingService of two sites", func() {
	It("serves after a vote, hands over and follows, and is handed over to", func(ctx SpecContext) {
		b := newBench(ctx, "handover", paired)
		b.step(0)
		b.engines(3, 3)
		b.step(30 * time.Second)
		b.step(30 * time.Second)
		By("not serving before the first vote")
		Expect(b.asked()).To(BeZero())
		Expect(b.replica()).To(Equal(map[string]any{"self": "east", "primary": "east", "source": "west"}))
		b.gateways(0, 0)
		b.step(30 * time.Second)
		Expect(b.site().Role).To(Equal(common.SiteQuiesced))
		Expect(b.condition("Ready").Reason).To(Equal(common.ReasonStandingBy))

		By("serving by the first vote")
		b.order(common.SiteOrder{Role: common.SiteActive, Epoch: 1})
		b.step(time.Second)
		Expect(b.asked()).To(BeEquivalentTo(2))
		Expect(b.site().Role).To(BeEmpty(), "nothing serves yet")
		b.gateways(2, 2)
		b.pod("handover-1", b.image(), "10.1.9.1")
		zero := int64(0)
		b.prober.Count(ports.MessagingStatus{Replication: &ports.ReplicationStatus{Streaming: true, BehindSeconds: &zero, At: b.clock.Now()}})
		b.step(30 * time.Second)
		b.step(30 * time.Second)
		Expect(b.site()).To(And(HaveField("Role", common.SiteActive), HaveField("Epoch", BeEquivalentTo(1))))
		Expect(b.site().Replication).To(HaveValue(And(HaveField("Streaming", true), HaveField("BehindSeconds", HaveValue(BeZero())))))
		Expect(b.condition("Ready").Status).To(Equal(metav1.ConditionTrue), b.condition("Ready").Message)

		By("handing over, although an operation holds the service")
		_, free, err := cluster.Hold(ctx, "MessagingService", b.key.Namespace, b.key.Name)
		Expect(err).NotTo(HaveOccurred())
		b.order(common.SiteOrder{Role: common.SiteQuiesced, Epoch: 1})
		b.step(time.Second)
		Expect(b.asked()).To(BeZero())
		Expect(b.replica()).To(HaveKeyWithValue("primary", "east"))
		Expect(b.site().Role).To(BeEmpty(), "gateways are still there")
		b.gateways(0, 0)
		b.step(time.Second)
		Expect(b.site().Role).To(BeEmpty(), "one is still finishing its work")
		Expect(cluster.Client.Delete(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: b.key.Namespace, Name: "handover-1"}})).To(Succeed())
		b.step(time.Second)
		Expect(b.site().Role).To(Equal(common.SiteQuiesced))
		b.order(common.SiteOrder{Role: common.SiteStandby, Epoch: 1})
		b.step(time.Second)
		Expect(b.replica()).To(Equal(map[string]any{"self": "east", "primary": "west", "source": "west"}))
		b.step(time.Second)
		Expect(b.site().Role).To(BeEmpty(), "the database has not stepped down")
		Expect(cluster.Switched(ctx, b.key.Namespace, "handover-db", "stepped-down-1", "")).To(Succeed())
		b.step(time.Second)
		Expect(b.site()).To(And(HaveField("Role", common.SiteStandby), HaveField("DemotionToken", "stepped-down-1")))
		Expect(b.condition("Ready")).To(And(HaveField("Status", metav1.ConditionTrue), HaveField("Reason", common.ReasonStandingBy)))

		By("being handed over to")
		b.order(common.SiteOrder{Role: common.SiteActive, Epoch: 3, PromotionToken: "of-the-west"})
		b.step(time.Second)
		Expect(b.replica()).To(Equal(map[string]any{"self": "east", "primary": "east", "source": "west", "promotionToken": "of-the-west"}))
		Expect(b.asked()).To(BeEquivalentTo(2), "gateways start while the database is being promoted")
		b.gateways(2, 2)
		b.step(time.Second)
		Expect(b.site().Role).To(BeEmpty(), "the database is not promoted yet")
		Expect(cluster.Switched(ctx, b.key.Namespace, "handover-db", "stepped-down-1", "of-the-west")).To(Succeed())
		b.step(time.Second)
		Expect(b.site().Role).To(Equal(common.SiteActive))
		Expect(free()).To(Succeed())

		By("stepping down again, which the token of the first time does not prove")
		b.order(common.SiteOrder{Role: common.SiteStandby, Epoch: 4})
		b.step(time.Second)
		b.gateways(0, 0)
		b.step(time.Second)
		Expect(b.site().Role).To(BeEmpty())
		Expect(cluster.Switched(ctx, b.key.Namespace, "handover-db", "stepped-down-2", "of-the-west")).To(Succeed())
		b.step(time.Second)
		Expect(b.site()).To(And(HaveField("Role", common.SiteStandby), HaveField("DemotionToken", "stepped-down-2"), HaveField("Epoch", BeEquivalentTo(4))))
	})

	It("is left alone by an order that makes no sense", func(ctx SpecContext) {
		b := newBench(ctx, "senseless", paired)
		b.step(0)
		b.engines(3, 3)
		b.step(30 * time.Second)
		before := b.deployment().ResourceVersion
		b.annotate(map[string]string{common.RoleAnnotation: "Both", common.EpochAnnotation: "1"})
		b.step(30 * time.Second)
		Expect(b.condition("Stalled").Message).To(ContainSubstring(`annotation spine.nhs.uk/role is "Both": expected Active, Quiesced or Standby`))
		Expect(b.deployment().ResourceVersion).To(Equal(before))
	})

	It("lets the other site, and nobody else, to its database and its probes", func(ctx SpecContext) {
		b := newBench(ctx, "edged", paired)
		b.step(0)
		for name, port := range map[string]int32{"edged-db-edge": 5433, "edged-gateway-ops-edge": 9443} {
			var s corev1.Service
			Expect(cluster.Client.Get(ctx, client.ObjectKey{Namespace: b.key.Namespace, Name: name}, &s)).To(Succeed())
			Expect(s.Spec.LoadBalancerSourceRanges).To(ConsistOf("10.94.0.0/24"))
			Expect(s.Spec.Ports).To(ConsistOf(HaveField("Port", port)))
		}
	})
})
