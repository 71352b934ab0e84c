// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package messagingservice

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/operatortest"
	"spine.nhs.uk/controlplane/operators/ports"
)

var _ = Describe("A service whose engines somebody else runs", func() {
	const host = "b-1.mq.eu-west-2.test"

	up := func(ctx SpecContext, name string) *bench {
		GinkgoHelper()
		b := newBench(ctx, name, operatortest.Elsewhere)
		b.step(0)
		b.gateways(2, 2)
		b.pod(name+"-1", b.image(), "10.1.0.1")
		b.step(30 * time.Second)
		b.step(30 * time.Second)
		return b
	}

	It("becomes Ready with gateways alone", func(ctx SpecContext) {
		b := newBench(ctx, "away", operatortest.Elsewhere)
		b.prober.Down(true)
		b.step(0)
		Expect(b.condition("Database").Status).To(Equal(metav1.ConditionUnknown))
		Expect(b.condition("Database").Reason).To(Equal(common.ReasonRunElsewhere))
		b.gateways(2, 2)
		b.pod("away-1", b.image(), "10.1.0.1")
		b.prober.Down(false)
		b.step(30 * time.Second)
		b.step(30 * time.Second)

		for kind, reason := range map[string]string{
			"Ready": common.ReasonAsSpecified, "Database": common.ReasonRunElsewhere, "Broker": common.ReasonRunElsewhere, "Redundancy": common.ReasonAsSpecified,
		} {
			c := b.condition(kind)
			Expect(c.Status).To(Equal(metav1.ConditionTrue), kind+": "+c.Message)
			Expect(c.Reason).To(Equal(reason), kind)
		}
		m := b.get()
		Expect(b.condition("Progressing").Status).To(Equal(metav1.ConditionFalse), b.condition("Progressing").Message)
		Expect(m.Status.ObservedGeneration).To(Equal(m.Generation))
		Expect(m.Status.Redundancy.Summary).To(Equal("db elsewhere, broker elsewhere, 2/2 gateway"))
		Expect(m.Status.Redundancy.Database).To(BeNil())
		Expect(m.Status.MessagesAtRisk).To(Equal("0"))

		By("making nothing of an engine")
		made := map[string]string{}
		namespace := client.InNamespace(b.key.Namespace)
		for _, list := range []client.ObjectList{
			engines("postgresql.cnpg.io/v1", "ClusterList"), engines("rabbitmq.com/v1beta1", "RabbitmqClusterList"),
			engines("cert-manager.io/v1", "CertificateList"),
			&corev1.ConfigMapList{}, &policyv1.PodDisruptionBudgetList{}, &networkingv1.NetworkPolicyList{},
		} {
			Expect(cluster.Client.List(ctx, list, namespace, client.MatchingLabels{common.ServiceLabel: "away"})).To(Succeed())
			collect(list, made)
		}
		var names []string
		for name := range made {
			names = append(names, name)
		}
		Expect(names).To(ConsistOf(
			"*unstructured.Unstructured away-gateway-tls", "*unstructured.Unstructured away-gateway-client",
			"*v1.ConfigMap away-db-endpoint", "*v1.ConfigMap away-broker-endpoint", "*v1.ConfigMap away-gateway",
			"*v1.PodDisruptionBudget away-gateway", "*v1.NetworkPolicy away-deny", "*v1.NetworkPolicy away-gateway",
		))
	})

	It("tells by the deep probe which engine fails", func(ctx SpecContext) {
		b := up(ctx, "far")
		fail := func(stage string) {
			b.prober.Fail("", stage)
			for range 3 {
				b.step(30 * time.Second)
			}
		}
		fail("consume")
		Expect(b.condition("Database").Status).To(Equal(metav1.ConditionTrue), b.condition("Database").Message)
		Expect(b.condition("Broker").Status).To(Equal(metav1.ConditionFalse))
		Expect(b.condition("Broker").Reason).To(Equal(common.ReasonBrokerUnavailable))
		Expect(b.condition("Broker").Message).To(ContainSubstring(host))
		Expect(b.condition("Ready").Reason).To(Equal(common.ReasonBrokerUnavailable))
		fail("ledger")
		Expect(b.condition("Database").Reason).To(Equal(common.ReasonDatabaseUnavailable))
		Expect(b.condition("Broker").Status).To(Equal(metav1.ConditionUnknown))
		Expect(b.get().Status.MessagesAtRisk).To(Equal("0"), "what was acknowledged is in three zones, whether it can be reached or not")
		fail("")
		Expect(b.condition("Ready").Status).To(Equal(metav1.ConditionTrue))
	})

	It("changes its image, and replaces the gateways for another broker", func(ctx SpecContext) {
		b := up(ctx, "moving")
		b.change(func(m *api.MessagingService) { m.Spec.Gateway.Image = operatortest.Image("message-gateway", '2') })
		b.step(30 * time.Second)
		Expect(b.deployment().Spec.Template.Spec.Containers[0].Image).To(HaveSuffix("2222"))
		b.gateways(2, 2)
		b.pod("moving-2", b.image(), "10.1.0.2")
		b.step(30 * time.Second)
		b.step(30 * time.Second)
		Expect(b.condition("Progressing").Status).To(Equal(metav1.ConditionFalse), b.condition("Progressing").Message)

		b.change(func(m *api.MessagingService) { m.Spec.Broker.Endpoint.Host = "b-2.mq.eu-west-2.test" })
		b.step(30 * time.Second)
		Expect(b.deployment().Spec.Template.Annotations).To(HaveKeyWithValue("spine.nhs.uk/broker", "b-2.mq.eu-west-2.test:5671"))
	})

	It("is deleted once nothing is unsettled", func(ctx SpecContext) {
		b := up(ctx, "going")
		b.prober.Count(ports.MessagingStatus{Acknowledged: 3, Unsettled: 1, OldestUnsettledSeconds: 5})
		Expect(cluster.Client.Delete(ctx, b.get())).To(Succeed())
		b.step(10 * time.Second)
		Expect(b.condition("Stalled").Reason).To(Equal(common.ReasonUnprocessedWork))
		b.prober.Count(ports.MessagingStatus{Acknowledged: 3, Settled: 3})
		b.step(10 * time.Second)
		b.step(3 * time.Minute)
		Expect(client.IgnoreNotFound(cluster.Client.Get(ctx, b.key, &api.MessagingService{}))).To(Succeed())
		Expect(cluster.Client.Get(ctx, b.key, &api.MessagingService{})).NotTo(Succeed())
	})

	DescribeTable("is refused", func(ctx SpecContext, message string, change func(*api.MessagingService)) {
		m := operatortest.Messaging("refused", operatortest.Elsewhere, change)
		Expect(cluster.Client.Create(ctx, m, client.DryRunAll)).To(MatchError(ContainSubstring(message)))
	},
		Entry("with both ways", "or endpoint alone", func(m *api.MessagingService) { m.Spec.Database.Instances = 3 }),
		Entry("with both ways to a broker", "or endpoint alone", func(m *api.MessagingService) { m.Spec.Broker.Replicas = 3 }),
		Entry("with neither", "give either image, storage and resources", func(m *api.MessagingService) { m.Spec.Database.Endpoint = nil }),
		Entry("at two sites", "remove site or database.endpoint", func(m *api.MessagingService) { m.Spec.Site = operatortest.Site(common.RoleActive) }),
		Entry("of an engine that nobody knows", "spec.database.endpoint.engine", func(m *api.MessagingService) { m.Spec.Database.Endpoint.Engine = "MySQL" }),
		Entry("without networks", "spec.broker.endpoint.networks", func(m *api.MessagingService) { m.Spec.Broker.Endpoint.Networks = []common.SiteNetwork{} }),
		Entry("with a network that is none", "with no bits set beyond its length", func(m *api.MessagingService) { m.Spec.Broker.Endpoint.Networks[0] = "10.40.48.1/24" }),
		Entry("without TLS", "5672 is the port without TLS", func(m *api.MessagingService) { m.Spec.Broker.Endpoint.Port = 5672 }),
		Entry("by an address with a port", "spec.broker.endpoint.host", func(m *api.MessagingService) { m.Spec.Broker.Endpoint.Host = "mq.test:5671" }),
	)

	It("keeps its database, and the kind of its broker", func(ctx SpecContext) {
		b := newBench(ctx, "kept", operatortest.Elsewhere)
		own := operatortest.Messaging("own")
		for message, change := range map[string]func(*api.MessagingService){
			"give a restored one the old name":                 func(m *api.MessagingService) { m.Spec.Database.Endpoint.Host = "other.test" },
			"keeps the kind of database that it was made with": func(m *api.MessagingService) { m.Spec.Database = own.Spec.Database },
			"keeps the kind of broker that it was made with":   func(m *api.MessagingService) { m.Spec.Broker = own.Spec.Broker },
		} {
			m := b.get()
			change(m)
			Expect(cluster.Client.Update(ctx, m, client.DryRunAll)).To(MatchError(ContainSubstring(message)))
		}
	})
})
