// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package servicerecovery

import (
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	bookingapi "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/ports"
)

var _ = Describe("A BookingService", func() {
	It("has its program restarted", func(ctx SpecContext) {
		s := newBookingStage(ctx, "book-roll")
		o := s.planned(api.ActionRestartRolling, part(api.PartService))
		s.play = func() { s.gateways(2, 2) }
		s.succeeds(o, 20)
		Expect(s.deployment().Spec.Template.Annotations).To(HaveKey(restartedAt))
		Expect(o.Status.Evidence.BacklogBefore).To(HaveValue(BeEquivalentTo(3)), "events that the outbox holds")
	})

	It("has a standby rebuilt, with the rights that the manager has there", func(ctx SpecContext) {
		s := newBookingStage(ctx, "book-copy")
		o := s.planned(api.ActionRebuildReplica, func(o *api.ServiceRecovery) { o.Spec.Instance = "book-copy-db-2" })
		s.play = func() {
			if s.uid("book-copy-db-2") != "" || len(s.release()) == 0 {
				return
			}
			s.instances = []string{"book-copy-db-1", "book-copy-db-3", "book-copy-db-4"}
			s.instance("book-copy-db-4", "")
			s.database(database.PhaseHealthy, s.instances...)
		}
		s.succeeds(o, 20)
		b := s.refused(api.ActionRebuildReplica, func(o *api.ServiceRecovery) { o.Spec.Instance = "book-copy-broker-server-1" })
		Expect(b.Message).To(ContainSubstring("instance must be one of book-copy-db-1, book-copy-db-3, book-copy-db-4"), "it has no broker")
	})

	It("is left alone while it is to be asleep", func(ctx SpecContext) {
		s := newBookingStage(ctx, "book-asleep")
		var b bookingapi.BookingService
		Expect(cluster.Client.Get(ctx, s.whole("book-asleep"), &b)).To(Succeed())
		b.Spec.Activity = common.ActivityAsleep
		Expect(cluster.Client.Update(ctx, &b)).To(Succeed())
		for action, change := range map[api.Action]func(*api.ServiceRecovery){
			api.ActionRestartRolling: part(api.PartService),
			api.ActionScaleOut:       func(o *api.ServiceRecovery) { o.Spec.Replicas = 4 },
			api.ActionRebuildReplica: func(o *api.ServiceRecovery) { o.Spec.Instance = "book-asleep-db-2" },
		} {
			blocker := s.refused(action, change)
			Expect(blocker.Reason).To(Equal(api.ReasonAsleep), string(action))
			Expect(blocker.Message).To(ContainSubstring("set spec.activity to Awake"))
		}
	})

	It("holds up no host while it sleeps, and on its way there and back as ever", func(ctx SpecContext) {
		s := newBookingStage(ctx, "book-night")
		s.r.Messaging, s.r.Booking = "spine-messaging", "spine-booking"
		var b bookingapi.BookingService
		for phase, counts := range map[common.SleepPhase]bool{common.SleepAwake: true, common.SleepFalling: true, common.SleepAsleep: false, common.SleepWaking: true} {
			Expect(cluster.Client.Get(ctx, s.whole("book-night"), &b)).To(Succeed())
			b.Status.Sleep = &common.SleepStatus{Phase: phase, Since: metav1.Now()}
			Expect(cluster.Client.Status().Update(ctx, &b)).To(Succeed())
			services, err := s.r.services(ctx)
			Expect(err).NotTo(HaveOccurred())
			found := slices.ContainsFunc(services, func(t *target) bool { return t.ref.Name == "book-night" })
			Expect(found).To(Equal(counts), string(phase))
		}
	})

	It("is scaled as far as the database has connections", func(ctx SpecContext) {
		s := newBookingStage(ctx, "book-scale")
		s.prober.Count(ports.BookingStatus{})
		var b bookingapi.BookingService
		Expect(cluster.Client.Get(ctx, s.whole("book-scale"), &b)).To(Succeed())
		b.Spec.Capacity.DatabaseConnections = 40
		Expect(cluster.Client.Update(ctx, &b)).To(Succeed())
		Expect(s.refused(api.ActionScaleOut, func(o *api.ServiceRecovery) { o.Spec.Replicas = 5 }).Message).To(ContainSubstring("at most 4"))
		o := s.planned(api.ActionScaleOut, func(o *api.ServiceRecovery) { o.Spec.Replicas = 4 })
		s.play = func() { s.gateways(*s.deployment().Spec.Replicas, *s.deployment().Spec.Replicas) }
		s.succeeds(o, 20)
		Expect(cluster.Client.Get(ctx, s.whole("book-scale"), &b)).To(Succeed())
		Expect(b.Annotations).To(HaveKeyWithValue(common.ReplicasAnnotation, "4"))
		Expect(b.Spec.Service.Replicas).To(BeEquivalentTo(2))
	})
})
