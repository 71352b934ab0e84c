// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package messagingservice

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/certificate"
	"spine.nhs.uk/controlplane/operators/ports"
)

var _ = Describe("A new MessagingService", func() {
	It("is brought up: engines, then gateways, then Ready", func(ctx SpecContext) {
		b := newBench(ctx, "install")
		b.step(0)
		Expect(b.get().Finalizers).To(ContainElement(common.WorkFinalizer))
		Expect(b.condition("Progressing").Reason).To(Equal(common.ReasonStarting))
		Expect(b.condition("Ready").Status).To(Equal(metav1.ConditionFalse))
		Expect(b.get().Status.ObservedGeneration).To(BeZero())
		Expect(b.get().Status.MessagesAtRisk).To(Equal("0"))

		By("waiting with the gateways for the engines")
		b.step(30 * time.Second)
		Expect(b.condition("Progressing").Message).To(ContainSubstring("database"))
		b.engines(1, 1)
		b.step(30 * time.Second)
		Expect(b.deployment().Spec.Template.Spec.Containers[0].Image).To(BeEquivalentTo(b.get().Spec.Gateway.Image))
		Expect(b.get().Status.Redundancy.Summary).To(Equal("1/3 db, 1/3 broker, ?/2 gateway"))

		By("becoming ready by the word of the deep probe")
		b.engines(3, 3)
		b.gateways(2, 2)
		b.pod("install-1", b.image(), "10.1.0.1")
		b.step(30 * time.Second)
		b.step(30 * time.Second)
		m := b.get()
		Expect(b.condition("Ready").Status).To(Equal(metav1.ConditionTrue))
		Expect(m.Status.ObservedGeneration).To(Equal(m.Generation))
		Expect(m.Status.Gateway.LastGoodImage).To(BeEquivalentTo(m.Spec.Gateway.Image))
		Expect(m.Status.Gateway.StartedAt).To(BeNil())
		Expect(m.Status.Redundancy.Summary).To(Equal("3/3 db, 3/3 broker, 2/2 gateway"))
		for _, c := range m.Status.Conditions {
			Expect(c.ObservedGeneration).To(Equal(m.Generation), c.Type)
			Expect(c.Reason).NotTo(BeEmpty())
		}
	})

	It("changes nothing, and asks for nothing to be changed, when nothing changed", func(ctx SpecContext) {
		b := running(ctx, "idle")
		before := versions(b)
		applied := 0
		b.reconciler.Client = interceptor.NewClient(manager, interceptor.Funcs{
			Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, options ...client.ApplyOption) error {
				applied++
				return c.Apply(ctx, o, options...)
			},
		})
		for range 3 {
			b.step(time.Minute)
		}
		Expect(versions(b)).To(Equal(before))
		Expect(applied).To(BeZero(), "each would be a request every few seconds")
	})

	It("puts right what somebody changed by hand", func(ctx SpecContext) {
		b := running(ctx, "drift")
		var policy networkingv1.NetworkPolicy
		key := client.ObjectKey{Namespace: b.key.Namespace, Name: "drift-deny"}
		Expect(cluster.Client.Get(ctx, key, &policy)).To(Succeed())
		policy.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
		Expect(cluster.Client.Update(ctx, &policy)).To(Succeed())
		b.step(time.Minute)
		Expect(cluster.Client.Get(ctx, key, &policy)).To(Succeed())
		Expect(policy.Spec.PolicyTypes).To(HaveLen(2))
	})

	It("puts the edge's address into addresses and into the certificate", func(ctx SpecContext) {
		b := running(ctx, "edge")
		var s corev1.Service
		Expect(cluster.Client.Get(ctx, client.ObjectKey{Namespace: b.key.Namespace, Name: "edge-gateway"}, &s)).To(Succeed())
		s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "10.90.0.101"}}
		Expect(cluster.Client.Status().Update(ctx, &s)).To(Succeed())
		b.step(time.Minute)
		Expect(b.get().Status.Addresses).To(ConsistOf(
			common.Address{Name: "mesh", Address: "10.90.0.101:8443"}, common.Address{Name: "bulk", Address: "10.90.0.101:8444"}))
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(certificate.GVK)
		Expect(cluster.Client.Get(ctx, client.ObjectKey{Namespace: b.key.Namespace, Name: "edge-gateway-tls"}, u)).To(Succeed())
		addresses, _, _ := unstructured.NestedStringSlice(u.Object, "spec", "ipAddresses")
		Expect(addresses).To(ConsistOf("10.90.0.101"))

		By("saying so when another has a port")
		Expect(cluster.Client.Get(ctx, client.ObjectKeyFromObject(&s), &s)).To(Succeed())
		s.Status.LoadBalancer.Ingress = nil
		s.Status.Conditions = []metav1.Condition{{Type: "spine.nhs.uk/EdgeAddress", Status: metav1.ConditionFalse,
			Reason: common.ReasonPortTaken, Message: "port 8443 belongs to x/y", LastTransitionTime: metav1.Now()}}
		Expect(cluster.Client.Status().Update(ctx, &s)).To(Succeed())
		b.step(time.Minute)
		Expect(b.get().Status.Addresses).To(BeEmpty())
		Expect(b.condition("Stalled").Reason).To(Equal(common.ReasonPortTaken))
		Expect(b.condition("Stalled").Message).To(ContainSubstring("x/y"))
	})

	It("refuses what belongs to somebody else", func(ctx SpecContext) {
		Expect(cluster.Client.Create(ctx, &policyv1.PodDisruptionBudget{
			ObjectMeta: metav1.ObjectMeta{Namespace: "spine-messaging", Name: "theirs-broker"},
		})).To(Succeed())
		b := newBench(ctx, "theirs")
		Expect(b.step(0).RequeueAfter).To(Equal(time.Minute))
		Expect(b.condition("Stalled").Status).To(Equal(metav1.ConditionTrue))
		Expect(b.condition("Stalled").Reason).To(Equal(common.ReasonOwnedByAnother))
		Expect(b.condition("Stalled").Message).To(ContainSubstring("theirs-broker"))
	})

	It("refuses what another controller owns, whatever its labels say", func(ctx SpecContext) {
		Expect(cluster.Client.Create(ctx, &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{
			Namespace: "spine-messaging", Name: "owned-broker", Labels: map[string]string{common.ServiceLabel: "owned"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "other", UID: "1", Controller: ptr.To(true)}},
		}})).To(Succeed())
		b := newBench(ctx, "owned")
		b.step(0)
		Expect(b.condition("Stalled").Message).To(ContainSubstring("belongs to ConfigMap other"))
	})

	It("takes over what an orphaning deletion left behind", func(ctx SpecContext) {
		Expect(cluster.Client.Create(ctx, &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{
			Namespace: "spine-messaging", Name: "orphans-broker", Labels: map[string]string{common.ServiceLabel: "orphans"},
		}})).To(Succeed())
		b := newBench(ctx, "orphans")
		b.step(0)
		Expect(b.condition("Stalled").Status).To(Equal(metav1.ConditionFalse), b.condition("Stalled").Message)
	})

	It("shows what it can lose, how far it is behind, and why", func(ctx SpecContext) {
		b := running(ctx, "columns", func(m *api.MessagingService) { m.Spec.Suppliers[1].Traffic = api.TrafficStopped })
		Expect(b.condition("Backlog").Reason).To(Equal(common.ReasonSupplierStopped))

		b.prober.Count(ports.MessagingStatus{Acknowledged: 100, Settled: 60, Unsettled: 40, OldestUnsettledSeconds: 90,
			DeadLettered: []ports.DeadLettered{{Supplier: "load", Count: 3}}})
		b.engines(1, 3)
		b.step(time.Minute)
		m := b.get()
		Expect(m.Status.MessagesAtRisk).To(Equal("40"))
		Expect(m.Status.Backlog.Unsettled).To(BeEquivalentTo(40))
		Expect(m.Status.Backlog.OldestTime.Time).To(BeTemporally("~", b.clock.Now().Add(-90*time.Second), 2*time.Second))
		Expect(b.condition("Backlog").Message).To(Equal("3 dead letters of load"))
		Expect(b.condition("Redundancy").Message).To(Equal("the database has 1 of 3 members"))
		Expect(b.condition("Redundancy").Reason).To(Equal(common.ReasonMembersMissing))
		Expect(b.condition("Ready").Status).To(Equal(metav1.ConditionTrue), "users see nothing yet")

		By("its standbys are ready, and one does not follow")
		name := b.key.Name + "-db-"
		b.engines(3, 3)
		b.prober.Count(ports.MessagingStatus{Standbys: []string{name + "2"}})
		b.step(time.Minute)
		Expect(b.get().Status.Redundancy.Summary).To(HavePrefix("2/3 db"))
		Expect(b.get().Status.Redundancy.Astray).To(Equal([]string{name + "3"}))
		Expect(b.condition("Redundancy").Message).To(ContainSubstring(name + "3 of the database: ready, and not following its primary"))
		Expect(b.get().Status.MessagesAtRisk).To(Equal("0"))
		b.prober.Count(ports.MessagingStatus{Unsettled: 5, Standbys: []string{}})
		b.step(time.Minute)
		Expect(b.get().Status.MessagesAtRisk).To(Equal("5"))
		Expect(b.condition("Database").Status).To(Equal(metav1.ConditionFalse))
		b.prober.Count(ports.MessagingStatus{Standbys: []string{name + "2", name + "3"}})
		b.step(time.Minute)
		Expect(b.condition("Redundancy").Status).To(Equal(metav1.ConditionTrue), b.condition("Redundancy").Message)

		b.prober.Count(ports.MessagingStatus{Unsettled: 1, OldestUnsettledSeconds: 90000})
		b.step(time.Minute)
		Expect(b.condition("Backlog").Reason).To(Equal(common.ReasonBacklogOverdue))

		b.prober.Down(true)
		for range 4 {
			b.step(time.Minute)
		}
		Expect(b.condition("Backlog").Status).To(Equal(metav1.ConditionUnknown))
		Expect(b.condition("Ready").Status).To(Equal(metav1.ConditionFalse))
		Expect(b.condition("DeepProbe").Reason).To(Equal(common.ReasonProbeFailed))
	})

	It("is not Ready while one gateway of several does not get through", func(ctx SpecContext) {
		b := running(ctx, "hides")
		b.pod("hides-good", b.image(), "10.1.5.1")
		b.pod("hides-bad", b.image(), "10.1.5.2")
		b.prober.Fail("10.1.5.2:8446", "publish")
		b.step(time.Minute)
		Expect(b.condition("Ready").Status).To(Equal(metav1.ConditionTrue), "one failure is none")
		for range 2 {
			b.step(time.Minute)
		}
		Expect(b.condition("Ready").Reason).To(Equal(common.ReasonProbeFailed))
		Expect(b.condition("DeepProbe").Message).To(Equal("probes fail at stage publish of hides-bad, while another gets through"))
		b.prober.Fail("10.1.5.2:8446", "")
		b.step(time.Minute)
		Expect(b.condition("Ready").Status).To(Equal(metav1.ConditionTrue))
	})
})

// versions of everything that the service owns.
func versions(b *bench) map[string]string {
	GinkgoHelper()
	out := map[string]string{}
	for _, list := range []client.ObjectList{
		&corev1.ServiceList{}, &corev1.ConfigMapList{}, &networkingv1.NetworkPolicyList{}, &policyv1.PodDisruptionBudgetList{},
		engines("postgresql.cnpg.io/v1", "ClusterList"), engines("rabbitmq.com/v1beta1", "RabbitmqClusterList"),
		engines("cert-manager.io/v1", "CertificateList"), engines("apps/v1", "DeploymentList"),
	} {
		Expect(cluster.Client.List(b.ctx, list, client.InNamespace(b.key.Namespace), client.MatchingLabels{common.ServiceLabel: b.key.Name})).To(Succeed())
		Expect(collect(list, out)).To(BeNumerically(">", 0))
	}
	return out
}
