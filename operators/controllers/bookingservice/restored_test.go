// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package bookingservice

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	desired "spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/desired/restore"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/ports"
)

var _ = Describe("A BookingService that was given another database", func() {
	It("goes on with it, sleeps with it, and leaves the one before alone", func(ctx SpecContext) {
		b := running(ctx, "restored", kept)
		_, release, err := cluster.Hold(ctx, "BookingService", namespace, b.key.Name)
		Expect(err).NotTo(HaveOccurred())
		made := restore.Copy{Of: desired.Restorable(b.get()), Name: "restored-db-a1b2c3", To: time.Now().Add(-time.Hour)}
		children := kit.Children{Client: manager, Owner: b.get()}
		for _, p := range made.NetworkPolicies() {
			Expect(children.LookAndApply(ctx, p)).To(Succeed())
		}
		Expect(children.LookAndApply(ctx, made.Cluster())).To(Succeed())
		b.annotate(common.DatabaseAnnotation, made.Name)
		b.database(3)
		Expect(cluster.Archived(ctx, namespace, made.Name, true, "2026-11-23T02:00:00Z")).To(Succeed())
		Expect(children.LookAndApply(ctx, desired.Deployment(b.get(), string(b.image())))).To(Succeed())
		b.replicas(2, 2)
		before, asMade := b.live(database.GVK, "restored-db"), b.live(database.GVK, made.Name)

		b.step(30 * time.Second)
		Expect(release()).To(Succeed())
		b.told()
		b.steps(2 * time.Minute)
		Expect(b.told()).NotTo(ContainElement(ContainSubstring("Changing")))
		Expect(b.live(database.GVK, "restored-db").GetResourceVersion()).To(Equal(before.GetResourceVersion()))
		Expect(b.live(database.GVK, made.Name).GetResourceVersion()).To(Equal(asMade.GetResourceVersion()), "it is what the service asks for")
		for _, kind := range []string{"Ready", "Database", "Redundancy", "Backup"} {
			Expect(b.condition(kind).Status).To(Equal(metav1.ConditionTrue), "%s: %s", kind, b.condition(kind).Message)
		}
		Expect(b.condition("Progressing").Reason).To(Equal(common.ReasonAsSpecified))
		Expect(b.condition("Backup").Message).To(ContainSubstring("2026-11-23T02:00:00Z"))
		Expect(fmt.Sprint(b.deployment().Spec.Template.Spec.Volumes)).To(ContainSubstring(made.Name + "-app"))
		of, _, _ := unstructured.NestedString(b.live(database.ScheduleGVK, made.Name).Object, "spec", "cluster", "name")
		Expect(of).To(Equal(made.Name))
		var p networkingv1.NetworkPolicy
		Expect(cluster.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "restored-service"}, &p)).To(Succeed())
		Expect(fmt.Sprint(p.Spec.Egress)).To(ContainSubstring("cnpg.io/cluster: " + made.Name))

		By("sleeping")
		b.be(common.ActivityAsleep)
		b.prober.Count(ports.BookingStatus{Intake: string(booking.IntakeStopped)})
		for range 4 {
			b.step(2 * time.Second)
		}
		b.unpod("restored-1")
		b.replicas(0, 0)
		b.step(2 * time.Second)
		Expect(b.hibernating()).To(BeTrue())
		Expect(database.Hibernating(b.live(database.GVK, "restored-db"))).To(BeFalse())
		_, still, _ := unstructured.NestedMap(b.live(database.GVK, made.Name).Object, "spec", "bootstrap", "recovery")
		Expect(still).To(BeTrue(), "CloudNativePG refuses another way of making it")

		By("being deleted: what it holds is asked of the one that it has")
		held, err := (&scope{Reconciler: b.reconciler, service: b.get()}).holdsDatabase(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(held).To(BeTrue())
	})

	It("cannot be given one, or be held, by anybody but the manager", func(ctx SpecContext) {
		b := newBench(ctx, "another")
		for _, key := range []string{common.DatabaseAnnotation, common.HeldAnnotation} {
			service := b.get()
			service.Annotations = map[string]string{key: "mine"}
			Expect(cluster.Client.Update(ctx, service)).To(MatchError(ContainSubstring("are the manager's")))
		}
	})
})

// annotate writes what only the manager may.
func (b *bench) annotate(key, value string) {
	GinkgoHelper()
	service := b.get()
	patch := client.MergeFrom(service.DeepCopy())
	if service.Annotations == nil {
		service.Annotations = map[string]string{}
	}
	service.Annotations[key] = value
	Expect(manager.Patch(b.ctx, service, patch)).To(Succeed())
}

// live is an object of an engine as the cluster has it.
func (b *bench) live(gvk schema.GroupVersionKind, name string) *unstructured.Unstructured {
	GinkgoHelper()
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(gvk)
	Expect(cluster.Client.Get(b.ctx, client.ObjectKey{Namespace: namespace, Name: name}, u)).To(Succeed())
	return u
}
