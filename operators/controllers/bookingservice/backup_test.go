// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package bookingservice

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
)

// kept has the database kept in an object store.
func kept(b *booking.BookingService) {
	b.Spec.Database.Backup = &common.DatabaseBackup{
		Endpoint: "https://objects.test:9000", Bucket: "spine", Secret: common.LocalSecret{Name: "object-store"},
		Networks: []common.SiteNetwork{"10.30.0.0/16"}, RetentionDays: 7,
	}
}

var _ = Describe("Backups of a BookingService's database", func() {
	It("are made every night, and said to be there or not", func(ctx SpecContext) {
		b := running(ctx, "archived", kept)
		Expect(b.condition("Backup").Status).To(Equal(metav1.ConditionUnknown))
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(database.ScheduleGVK)
		Expect(cluster.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "archived-db"}, u)).To(Succeed())

		Expect(cluster.Archived(ctx, namespace, "archived-db", true, "2026-11-22T02:00:00Z")).To(Succeed())
		b.step(30 * time.Second)
		Expect(b.condition("Backup").Message).To(ContainSubstring("2026-11-22T02:00:00Z"))
		Expect(b.condition("Backup").Status).To(Equal(metav1.ConditionTrue))

		Expect(cluster.Archived(ctx, namespace, "archived-db", false, "2026-11-22T02:00:00Z")).To(Succeed())
		b.step(30 * time.Second)
		Expect(b.condition("Backup").Reason).To(Equal(common.ReasonBackupFailing))
		Expect(b.condition("Ready").Status).To(Equal(metav1.ConditionTrue))
	})

	It("are not spoken of where none are asked for", func(ctx SpecContext) {
		b := running(ctx, "unkept")
		Expect(meta.FindStatusCondition(b.get().Status.Conditions, "Backup")).To(BeNil())
	})
})
