// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package bookingservice

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/operatortest"
	"spine.nhs.uk/controlplane/operators/ports"
)

var _ = Describe("A BookingService of two sites", func() {
	It("stands by, serves by a vote, and steps down", func(ctx SpecContext) {
		b := newBench(ctx, "pair", func(s *booking.BookingService) {
			s.Spec.Site = operatortest.Site(common.RoleStandby)
			s.Spec.Acknowledge = common.AcknowledgeBothSites
		})
		order := func(o common.SiteOrder) {
			service := b.get()
			before := client.MergeFrom(service.DeepCopy())
			service.Annotations = o.Annotations()
			Expect(manager.Patch(ctx, service, before)).To(Succeed())
		}
		spec := func(path ...string) any {
			u := &unstructured.Unstructured{}
			u.SetGroupVersionKind(database.GVK)
			Expect(cluster.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "pair-db"}, u)).To(Succeed())
			value, _, err := unstructured.NestedFieldNoCopy(u.Object, append([]string{"spec"}, path...)...)
			Expect(err).NotTo(HaveOccurred())
			return value
		}
		site := func() common.SiteStatus { return *b.get().Status.Site }

		b.step(0)
		b.database(3)
		b.steps(time.Minute)
		Expect(spec("replica", "primary")).To(Equal("west"))
		Expect(spec("bootstrap")).To(HaveKey("pg_basebackup"))
		Expect(*b.deployment().Spec.Replicas).To(BeZero())
		b.replicas(0, 0)
		b.step(5 * time.Second)
		Expect(site()).To(And(HaveField("Role", common.SiteStandby), HaveField("Ready", true), HaveField("Acknowledge", common.AcknowledgeBothSites)))
		Expect(b.condition("Ready")).To(And(HaveField("Status", metav1.ConditionTrue), HaveField("Reason", common.ReasonStandingBy)))

		By("taking over, alone")
		order(common.SiteOrder{Role: common.SiteActive, Epoch: 2, Alone: true})
		b.step(time.Second)
		Expect(spec("replica", "primary")).To(Equal("east"))
		Expect(spec("postgresql", "synchronous", "number")).To(BeEquivalentTo(1))
		b.step(time.Second)
		Expect(*b.deployment().Spec.Replicas).To(BeEquivalentTo(2))
		b.replicas(2, 2)
		b.pod("pair-1", "10.0.7.1", b.image())
		bytes := int64(7)
		b.prober.Count(ports.BookingStatus{Replication: &ports.ReplicationStatus{BehindBytes: &bytes, At: b.clock.Now()}})
		b.steps(time.Minute)
		Expect(site()).To(And(HaveField("Role", common.SiteActive), HaveField("Epoch", BeEquivalentTo(2)), HaveField("Acknowledge", common.AcknowledgeSite)))
		Expect(site().Replication).To(HaveValue(HaveField("BehindBytes", HaveValue(BeEquivalentTo(7)))))

		By("asking for both sites again")
		order(common.SiteOrder{Role: common.SiteActive, Epoch: 3})
		b.step(time.Second)
		Expect(spec("postgresql", "synchronous", "standbyNamesPre")).To(ConsistOf("west"))
		Expect(site().Acknowledge).To(Equal(common.AcknowledgeSite), "the database has not been seen to obey")
		b.step(time.Second)
		Expect(site().Acknowledge).To(Equal(common.AcknowledgeBothSites))

		By("stepping down")
		order(common.SiteOrder{Role: common.SiteStandby, Epoch: 4})
		b.step(time.Second)
		Expect(*b.deployment().Spec.Replicas).To(BeZero())
		Expect(spec("replica", "primary")).To(Equal("west"))
		b.replicas(0, 0)
		b.step(time.Second)
		Expect(site().Role).To(BeEmpty(), "a pod is left, and the database has not stepped down")
	})
})
