// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package bookingservice

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/certificate"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/operatortest"
	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/runbooks"
)

var _ = Describe("A new BookingService", func() {
	It("is brought up: the database, then the program, then Ready", func(ctx SpecContext) {
		b := newBench(ctx, "install")
		b.step(0)
		Expect(b.get().Finalizers).To(ContainElement(common.WorkFinalizer))
		Expect(b.condition("Progressing").Reason).To(Equal(common.ReasonStarting))
		Expect(b.condition("Ready").Status).NotTo(Equal(metav1.ConditionTrue))

		By("waiting with the program for the database")
		b.step(30 * time.Second)
		Expect(b.condition("Progressing").Message).To(ContainSubstring("database"))
		Expect(b.get().Status.ObservedGeneration).To(BeZero(), "it is not brought about yet")
		b.database(1)
		b.step(30 * time.Second)
		Expect(b.image()).To(Equal(b.get().Spec.Service.Image))
		Expect(b.get().Status.Redundancy.Summary).To(Equal("1/3 db, 0/2 service"))
		Expect(b.get().Status.Loss).To(Equal(booking.LossWritesStopped))

		By("not being ready before the deep probe has passed at a replica")
		b.database(3)
		b.replicas(2, 2)
		b.prober.Fail("", "database")
		b.step(30 * time.Second)
		Expect(b.condition("Ready").Status).NotTo(Equal(metav1.ConditionTrue))
		b.prober.Fail("", "")
		b.pod("install-1", "10.0.0.1", b.image())
		b.step(30 * time.Second)
		b.step(30 * time.Second)
		is := b.get()
		Expect(b.condition("Ready").Status).To(Equal(metav1.ConditionTrue), b.condition("Ready").Message)
		Expect(is.Status.ObservedGeneration).To(Equal(is.Generation))
		Expect(is.Status.Service.LastGoodImage).To(BeEquivalentTo(is.Spec.Service.Image))
		Expect(is.Status.Service.StartedAt).To(BeNil())
		Expect(is.Status.Redundancy.Summary).To(Equal("3/3 db, 2/2 service"))
		Expect(is.Status.Loss).To(Equal(booking.LossNone))
		for _, kind := range []string{"Database", "Service", "Redundancy", "Backlog", "DeepProbe", "Ready", "Progressing", "Stalled"} {
			c := b.condition(kind)
			Expect(c.ObservedGeneration).To(Equal(is.Generation), kind)
			Expect(c.Message).NotTo(BeEmpty(), kind)
		}
	})

	It("changes nothing, and asks for nothing to be changed, when nothing changed", func(ctx SpecContext) {
		b := running(ctx, "idle")
		before := b.versions()
		var applied []string
		b.reconciler.Client = interceptor.NewClient(manager, interceptor.Funcs{
			Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, options ...client.ApplyOption) error {
				raw, err := json.Marshal(o)
				Expect(err).NotTo(HaveOccurred())
				applied = append(applied, string(raw))
				return c.Apply(ctx, o, options...)
			},
		})
		for range 3 {
			b.step(time.Minute)
		}
		Expect(b.versions()).To(Equal(before))
		Expect(applied).To(BeEmpty(), "each would be a request every few seconds")
	})

	It("puts right what somebody changed by hand", func(ctx SpecContext) {
		b := running(ctx, "drift")
		var policy networkingv1.NetworkPolicy
		key := client.ObjectKey{Namespace: namespace, Name: "drift-service"}
		Expect(cluster.Client.Get(ctx, key, &policy)).To(Succeed())
		policy.Spec.Ingress = append(policy.Spec.Ingress, networkingv1.NetworkPolicyIngressRule{})
		Expect(cluster.Client.Update(ctx, &policy)).To(Succeed())
		b.step(time.Minute)
		Expect(cluster.Client.Get(ctx, key, &policy)).To(Succeed())
		Expect(policy.Spec.Ingress).To(HaveLen(2))
	})

	It("puts the edge's address into addresses and into the certificate", func(ctx SpecContext) {
		b := running(ctx, "edge")
		var s corev1.Service
		Expect(cluster.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "edge-service"}, &s)).To(Succeed())
		s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "10.90.0.101"}}
		Expect(cluster.Client.Status().Update(ctx, &s)).To(Succeed())
		b.step(time.Minute)
		Expect(b.get().Status.Addresses).To(ConsistOf(common.Address{Name: "api", Address: "10.90.0.101:8445"}))
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(certificate.GVK)
		Expect(cluster.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "edge-service-tls"}, u)).To(Succeed())
		addresses, _, _ := unstructured.NestedStringSlice(u.Object, "spec", "ipAddresses")
		Expect(addresses).To(ConsistOf("10.90.0.101"))

		By("saying so when another has the port")
		Expect(cluster.Client.Get(ctx, client.ObjectKeyFromObject(&s), &s)).To(Succeed())
		s.Status.LoadBalancer.Ingress = nil
		s.Status.Conditions = []metav1.Condition{{Type: "spine.nhs.uk/EdgeAddress", Status: metav1.ConditionFalse,
			Reason: common.ReasonPortTaken, Message: "port 8445 belongs to x/y", LastTransitionTime: metav1.Now()}}
		Expect(cluster.Client.Status().Update(ctx, &s)).To(Succeed())
		b.step(time.Minute)
		Expect(b.get().Status.Addresses).To(BeEmpty())
		Expect(b.condition("Stalled").Reason).To(Equal(common.ReasonPortTaken))
	})

	It("refuses what belongs to somebody else, and says how to go on", func(ctx SpecContext) {
		Expect(cluster.Client.Create(ctx, &policyv1.PodDisruptionBudget{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "theirs-service"},
		})).To(Succeed())
		b := newBench(ctx, "theirs")
		Expect(b.step(0).RequeueAfter).To(Equal(time.Minute))
		Expect(b.condition("Stalled").Reason).To(Equal(common.ReasonOwnedByAnother))
		Expect(b.condition("Stalled").Message).To(ContainSubstring("theirs-service"))
		Expect(b.get().Status.ObservedGeneration).To(Equal(b.get().Generation), "given up: nobody need wait for it")
	})

	It("shows how far it is behind and what it could lose", func(ctx SpecContext) {
		b := running(ctx, "columns")
		b.prober.Count(ports.BookingStatus{Bookings: 7, Referrals: 9, OutboxPending: 3, OutboxOldestSeconds: 90, ASIOpen: 2})
		b.database(2)
		b.step(time.Minute)
		is := b.get()
		Expect(is.Status.Backlog.OldestTime.Time).To(BeTemporally("~", b.clock.Now().Add(-90*time.Second), 2*time.Second))
		Expect(is.Status.Backlog.Bookings).To(BeEquivalentTo(7))
		Expect(b.condition("Backlog").Status).To(Equal(metav1.ConditionTrue))
		Expect(b.condition("Redundancy").Reason).To(Equal(common.ReasonMembersMissing))
		Expect(b.condition("Ready").Status).To(Equal(metav1.ConditionTrue), "people see nothing yet")
		Expect(is.Status.Loss).To(Equal(booking.LossNone))

		By("its standbys are ready, and none follows")
		b.database(3)
		b.prober.Count(ports.BookingStatus{Standbys: []string{}})
		b.step(time.Minute)
		Expect(b.get().Status.Redundancy.Summary).To(HavePrefix("1/3 db"))
		Expect(b.condition("Redundancy").Message).To(ContainSubstring("of the database ready, and not following its primary"))
		Expect(b.get().Status.Loss).To(Equal(booking.LossWritesStopped))

		b.prober.Count(ports.BookingStatus{OutboxPending: 1, OutboxOldestSeconds: 700})
		b.step(time.Minute)
		Expect(b.condition("Backlog").Reason).To(Equal(common.ReasonBacklogOverdue))
		b.prober.Count(ports.BookingStatus{ASIOpen: 5001})
		b.step(time.Minute)
		Expect(b.condition("Backlog").Reason).To(Equal(common.ReasonBacklogOverdue))

		b.prober.Down(true)
		b.steps(time.Minute)
		Expect(b.condition("Backlog").Status).To(Equal(metav1.ConditionUnknown))
		Expect(b.condition("DeepProbe").Reason).To(Equal(common.ReasonProbeFailed))
		Expect(b.condition("Ready").Status).To(Equal(metav1.ConditionFalse))
	})

	It("is not Ready while one replica of several does not get through", func(ctx SpecContext) {
		b := running(ctx, "hides")
		b.pod("hides-good", "10.0.5.1", operatortest.Image("booking-service", '1'))
		b.pod("hides-bad", "10.0.5.2", operatortest.Image("booking-service", '1'))
		b.prober.Fail("10.0.5.2:8446", "page")
		b.step(time.Minute)
		Expect(b.condition("Ready").Status).To(Equal(metav1.ConditionTrue), "one failure is none")
		b.step(time.Minute)
		b.step(time.Minute)
		Expect(b.condition("Ready").Reason).To(Equal(common.ReasonProbeFailed))
		Expect(b.condition("DeepProbe").Message).To(HaveSuffix("the last at stage page of hides-bad, while another gets through"))
		Expect(b.told()).To(ContainElement(ContainSubstring("hides-bad: 10.0.5.2:8446: stage page")))
		b.prober.Fail("10.0.5.2:8446", "")
		b.step(time.Minute)
		Expect(b.condition("Ready").Status).To(Equal(metav1.ConditionTrue))
	})

	It("gives only reasons that need nobody or have a page", func() {
		quiet := []string{common.ReasonAsSpecified, common.ReasonChanging}
		for state, said := range progress {
			if !slices.Contains(quiet, said.reason) {
				_, err := runbooks.Page(said.reason)
				Expect(err).NotTo(HaveOccurred(), string(state))
			}
		}
	})
})

// versions of everything that the service owns.
func (b *bench) versions() map[string]string {
	GinkgoHelper()
	out := map[string]string{}
	for _, gvk := range []schema.GroupVersionKind{
		database.GVK, certificate.GVK,
		{Group: "apps", Version: "v1", Kind: "Deployment"},
		{Version: "v1", Kind: "Service"}, {Version: "v1", Kind: "ConfigMap"},
		{Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"},
		{Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"},
	} {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(gvk)
		Expect(cluster.Client.List(b.ctx, list, client.InNamespace(namespace), client.MatchingLabels{common.ServiceLabel: b.key.Name})).To(Succeed())
		Expect(list.Items).NotTo(BeEmpty(), gvk.Kind)
		for _, i := range list.Items {
			out[fmt.Sprintf("%s %s", gvk.Kind, i.GetName())] = i.GetResourceVersion()
		}
	}
	return out
}
