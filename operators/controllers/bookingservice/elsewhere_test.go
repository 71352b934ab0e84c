// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package bookingservice

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/operatortest"
)

var _ = Describe("A service whose database somebody else runs", func() {
	aurora := func(b *booking.BookingService) { b.Spec.Database = operatortest.Aurora() }

	It("becomes Ready with its program alone, and tells by the deep probe how the database is", func(ctx SpecContext) {
		b := newBench(ctx, "away", aurora)
		b.prober.Down(true)
		b.step(0)
		Expect(b.condition("Database").Reason).To(Equal(common.ReasonRunElsewhere))
		Expect(b.condition("Database").Status).To(Equal(metav1.ConditionUnknown))
		b.replicas(2, 2)
		b.pod("away-1", "10.0.0.1", b.image())
		b.prober.Down(false)
		b.step(30 * time.Second)
		b.step(30 * time.Second)
		for _, kind := range []string{"Ready", "Database", "Redundancy"} {
			c := b.condition(kind)
			Expect(c.Status).To(Equal(metav1.ConditionTrue), kind+": "+c.Message)
		}
		Expect(b.condition("Database").Reason).To(Equal(common.ReasonRunElsewhere))
		Expect(b.condition("Progressing").Status).To(Equal(metav1.ConditionFalse), b.condition("Progressing").Message)
		service := b.get()
		Expect(service.Status.Redundancy.Summary).To(Equal("db elsewhere, 2/2 service"))
		Expect(service.Status.Loss).To(Equal(booking.LossNone))

		own := &unstructured.Unstructured{}
		own.SetGroupVersionKind(database.GVK)
		err := cluster.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "away-db"}, own)
		Expect(apierrors.IsNotFound(err)).To(BeTrue(), "a database was made: %v", err)
		var files corev1.ConfigMap
		Expect(cluster.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "away-db-endpoint"}, &files)).To(Succeed())
		Expect(files.Data).To(Equal(map[string]string{"engine": "Aurora", "host": "db.cluster-1.eu-west-2.rds.test", "port": "5432", "dbname": "spine"}))

		b.prober.Fail("", "book and cancel")
		b.steps(2 * time.Minute)
		Expect(b.condition("Database").Reason).To(Equal(common.ReasonDatabaseUnavailable))
		Expect(b.condition("Ready").Reason).To(Equal(common.ReasonDatabaseUnavailable))
		b.prober.Fail("", "")
		b.steps(time.Minute)
		Expect(b.condition("Ready").Status).To(Equal(metav1.ConditionTrue))
	})

	It("is refused at two sites", func(ctx SpecContext) {
		b := sample("refused")
		aurora(b)
		b.Spec.Site = operatortest.Site(common.RoleActive)
		Expect(cluster.Client.Create(ctx, b, client.DryRunAll)).To(MatchError(ContainSubstring("remove site or database.endpoint")))
	})
})
