// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package servicerecovery

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	bookingapi "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/restore"
	"spine.nhs.uk/controlplane/operators/operatortest"
)

// restorables are the kinds of services whose database is restored, each by a short name: how one is
// played, how many steps it takes, and at how many writes of the world a manager may be killed meanwhile,
// the schedule's among them.
var restorables = map[string]struct {
	play          func(context.Context, string) *kept
	steps, writes int
	unit          string
}{
	"ledger":   {newKept, 8, 15, "message accepted"},
	"bookings": {newKeptBookings, 7, 14, "referral made or changed"},
}

var _ = Describe("RestoreDatabase", func() {
	DescribeTable("has the database as it was, carries over what came since, and ends when the programs serve with it:",
		func(ctx SpecContext, name string, play func(context.Context, string) *kept) {
			s := play(ctx, name)
			o := s.plans()
			Expect(o.Status.Plan.PointOfNoReturn).To(Equal("switch-database"))
			Expect(s.there(s.copy)).To(BeNil(), "a dry run changes nothing")
			s.succeeds(o, 30)
			s.restored()
			Expect(o.Status.Evidence.MeasuredLoss).To(HaveValue(Equal(api.Loss{})))
			s.goldenCopy(o)
		},
		Entry("messages", "restore", newKept),
		Entry("bookings", "restore-bookings", newKeptBookings),
	)

	It("goes on with the database that it has when the copy lacks anything", func(ctx SpecContext) {
		for kind, k := range restorables {
			for work, found := range map[restore.Work]string{
				restore.Compare: `{"both":40,"onlyFrom":1,"after":7}`, restore.CarryOver: `{"both":46,"onlyFrom":0,"after":1,"carried":6}`,
			} {
				s := k.play(ctx, "lacks-"+kind+"-"+string(work))
				s.found[work] = found
				o := s.plans()
				s.run(o, 30)
				Expect(o.Status.Phase).To(Equal(api.PhaseFailed))
				Expect(o.Status.Message).To(ContainSubstring("the copy lacks 1 " + k.unit))
				Expect(s.service().GetAnnotations()).NotTo(HaveKey(common.DatabaseAnnotation))
			}
		}
	})

	It("is aborted while it carries over, and the programs start again", func(ctx SpecContext) {
		for kind, k := range restorables {
			s := k.play(ctx, "restore-aborted-"+kind)
			delete(s.found, restore.CarryOver)
			o := s.plans()
			play := s.play
			s.play = func() {
				play()
				job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: s.copy + "-carry"}}
				if cluster.Client.Get(ctx, client.ObjectKeyFromObject(job), job) == nil && !o.Spec.Abort {
					patch := client.MergeFrom(o.DeepCopy())
					o.Spec.Abort = true
					Expect(as("alice").Patch(ctx, o, patch)).To(Succeed())
				}
			}
			s.run(o, 30)
			Expect(o.Status.Phase).To(Equal(api.PhaseAborted))
			Expect(o.Status.Message).To(ContainSubstring("aborted during step carry-over: %d of %d steps were done", k.steps-4, k.steps))
			Expect(s.service().GetAnnotations()).NotTo(HaveKey(common.DatabaseAnnotation))
		}
	})

	It("does not wait for a Job that somebody has deleted", func(ctx SpecContext) {
		s := newKept(ctx, "restore-jobless")
		o := s.plans()
		play := s.play
		s.play = func() {
			job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: s.copy + "-compare"}}
			if cluster.Client.Get(ctx, client.ObjectKeyFromObject(job), job) == nil {
				Expect(cluster.Client.Delete(ctx, job, client.PropagationPolicy(metav1.DeletePropagationBackground))).To(Succeed())
				return
			}
			play()
		}
		s.run(o, 30)
		Expect(o.Status.Phase).To(Equal(api.PhaseFailed))
		Expect(o.Status.Message).To(ContainSubstring("is gone"))
	})

	It("is refused where it could lose anything, or has nothing to go by", func(ctx SpecContext) {
		for kind, k := range restorables {
			s := k.play(ctx, "restore-not-"+kind)
			Expect(s.refused(api.ActionRestoreDatabase, func(o *api.ServiceRecovery) {
				o.Spec.RestoreTo = &metav1.Time{Time: s.clock.Now()}
			}).Message).To(ContainSubstring("may not be in the archive yet"))
			Expect(s.refused(api.ActionRestoreDatabase, func(o *api.ServiceRecovery) {
				o.Spec.RestoreTo = &metav1.Time{Time: s.clock.Now().Add(-48 * time.Hour)}
			}).Message).To(ContainSubstring("the earliest state that can be had"))
			s.annotated(common.HeldAnnotation, "restore-that-ended")
			blocker := s.refused(api.ActionRestoreDatabase, s.hourAgo)
			Expect(blocker.Reason).To(Equal(api.ReasonOtherOperation))
			Expect(blocker.Message).To(ContainSubstring("restore-that-ended"))
			s.annotated(common.HeldAnnotation, "")
			Expect(cluster.Archived(ctx, s.namespace, s.name+"-db", false, s.clock.Now().Add(-24*time.Hour).UTC().Format(time.RFC3339))).To(Succeed())
			Expect(s.refused(api.ActionRestoreDatabase, s.hourAgo).Reason).To(Equal(api.ReasonStateUnknown))
		}
		for _, bare := range []*stage{newStage(ctx, "restore-bare"), newBookingStage(ctx, "restore-bare-bookings")} {
			Expect(bare.refused(api.ActionRestoreDatabase, bare.hourAgo).Message).To(ContainSubstring("spec.database.backup"))
		}
	})

	It("is refused of bookings that are not awake, not here alone, or in somebody else's database", func(ctx SpecContext) {
		s := newKeptBookings(ctx, "restore-asleep")
		b := s.service().(*bookingapi.BookingService)
		b.Status.Sleep = &common.SleepStatus{Phase: common.SleepWaking, Since: metav1.Now()}
		Expect(cluster.Client.Status().Update(ctx, b)).To(Succeed())
		waking := s.refused(api.ActionRestoreDatabase, s.hourAgo)
		Expect(waking.Reason).To(Equal(api.ReasonAsleep))
		Expect(waking.Message).To(ContainSubstring("wait until it is Awake"))
		b = s.service().(*bookingapi.BookingService)
		b.Spec.Activity = common.ActivityAsleep
		Expect(cluster.Client.Update(ctx, b)).To(Succeed())
		Expect(s.refused(api.ActionRestoreDatabase, s.hourAgo).Reason).To(Equal(api.ReasonAsleep))

		aurora := empty(ctx, bookings("restore-aurora", func(b *bookingapi.BookingService) { b.Spec.Database = operatortest.Aurora() }), "restore-aurora-service")
		Expect(aurora.refused(api.ActionRestoreDatabase, aurora.hourAgo).Reason).To(Equal(api.ReasonRunElsewhere))
		pair := empty(ctx, bookings("restore-pair", func(b *bookingapi.BookingService) { b.Spec.Site = operatortest.Site(common.RoleActive) }), "restore-pair-service")
		Expect(pair.refused(api.ActionRestoreDatabase, pair.hourAgo).Message).To(ContainSubstring("is at two sites"))
	})

	It("is the only one to give a service another database", func(ctx SpecContext) {
		for kind, k := range restorables {
			s := k.play(ctx, "restore-admission-"+kind)
			for _, key := range []string{common.DatabaseAnnotation, common.HeldAnnotation} {
				o := s.service()
				o.SetAnnotations(map[string]string{key: "another"})
				Expect(cluster.Client.Update(ctx, o)).To(MatchError(ContainSubstring("are the manager's")))
			}
		}
	})

	// The writes are the same code's for either kind: of bookings each is tried before or after it took effect, in turn.
	DescribeTable("goes on when its manager is killed at a write:", func(ctx SpecContext, kind string, ways func(at int) []bool) {
		k := restorables[kind]
		for at := 1; at <= k.writes; at++ {
			for _, after := range ways(at) {
				s := k.play(ctx, fmt.Sprintf("rcut-%s-%d-%t", kind, at, after))
				o := s.plans()
				s.survives(o, k.writes, &cut{Client: s.cached, at: at, after: after}, s.engines)
				s.restored()
				s.killable(o)
			}
		}
	},
		Entry("of messages", "ledger", func(int) []bool { return []bool{false, true} }),
		Entry("of bookings", "bookings", func(at int) []bool { return []bool{at%2 == 0} }),
	)
})
