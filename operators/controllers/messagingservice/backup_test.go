// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package messagingservice

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
)

var _ = Describe("A service whose database is kept in an object store", func() {
	It("has it copied every night, and says what can be had back", func(ctx SpecContext) {
		b := running(ctx, "archived", archived)
		Expect(b.condition("Backup").Status).To(Equal(metav1.ConditionUnknown))
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(database.ScheduleGVK)
		Expect(cluster.Client.Get(ctx, client.ObjectKey{Namespace: b.key.Namespace, Name: "archived-db"}, u)).To(Succeed())

		Expect(cluster.Archived(ctx, b.key.Namespace, "archived-db", true, "2026-11-22T02:00:00Z")).To(Succeed())
		b.step(30 * time.Second)
		Expect(b.condition("Backup").Status).To(Equal(metav1.ConditionTrue))
		Expect(b.condition("Backup").Message).To(ContainSubstring("2026-11-22T02:00:00Z"))

		By("saying so when the log does not get there, which clients do not see")
		Expect(cluster.Archived(ctx, b.key.Namespace, "archived-db", false, "2026-11-22T02:00:00Z")).To(Succeed())
		b.step(30 * time.Second)
		Expect(b.condition("Backup").Status).To(Equal(metav1.ConditionFalse))
		Expect(b.condition("Backup").Reason).To(Equal(common.ReasonBackupFailing))
		Expect(b.condition("Ready").Status).To(Equal(metav1.ConditionTrue))
	})

	It("is not robbed of its backups by a field that was left out", func(ctx SpecContext) {
		b := running(ctx, "robbed", archived)
		m := b.get()
		m.Spec.Database.Backup = nil
		Expect(cluster.Client.Update(ctx, m)).To(MatchError(ContainSubstring("backups are not switched off under a service")))
	})

	It("says nothing of backups where none are asked for", func(ctx SpecContext) {
		b := running(ctx, "unkept")
		Expect(meta.FindStatusCondition(b.get().Status.Conditions, "Backup")).To(BeNil())
		b.change(archived)
		b.step(30 * time.Second)
		Expect(b.condition("Backup").Status).To(Equal(metav1.ConditionUnknown))
	})
})
