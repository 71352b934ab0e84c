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
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	messagingapi "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	desired "spine.nhs.uk/controlplane/operators/desired/messaging"
)

// kept is a service whose ledger is kept in an object store, under an operation that restores it.
type kept struct {
	*stage
	// copy that the operation makes, once it is known.
	copy string
	// found is what the Jobs say.
	found map[desired.Work]string
	// cached reads children as the manager does, which may list them and not get one.
	cached client.Client
	// wrote says that gateways ran while they must not.
	wrote bool
}

const (
	compared = `{"both":40,"onlyFrom":0,"onlyTo":2,"differing":0,"after":7,"carried":0,"last":"2026-11-22T14:05:00Z"}`
	ahead    = `{"both":0,"onlyFrom":0,"onlyTo":0,"differing":0,"after":0,"carried":6,"last":""}`
	carried  = `{"both":8,"onlyFrom":0,"onlyTo":0,"differing":0,"after":0,"carried":2,"last":"2026-11-22T14:09:00Z"}`
)

func newKept(ctx context.Context, name string) *kept {
	GinkgoHelper()
	found := map[desired.Work]string{desired.Compare: compared, desired.CarryAhead: ahead, desired.CarryOver: carried}
	s := &kept{found: found, stage: newStage(ctx, name, func(m *messagingapi.MessagingService) {
		m.Spec.Database.Backup = &common.DatabaseBackup{
			Endpoint: "https://objects.test:9000", Bucket: "spine", Secret: common.LocalSecret{Name: "object-store"},
			Networks: []common.SiteNetwork{"10.30.0.0/16"}, RetentionDays: 7,
		}
	})}
	Expect(cluster.Client.Create(ctx, desired.DatabaseSchedule(s.get()))).To(Succeed())
	Expect(cluster.Archived(ctx, s.namespace, name+"-db", true, s.clock.Now().Add(-24*time.Hour).UTC().Format(time.RFC3339))).To(Succeed())
	var err error
	s.cached, err = cluster.CachedManager()
	Expect(err).NotTo(HaveOccurred())
	s.r.Client = s.cached
	s.play = s.engines
	return s
}

func (s *kept) hourAgo(o *api.ServiceRecovery) {
	at := metav1.NewTime(s.clock.Now().Add(-time.Hour).Truncate(time.Second))
	o.Spec.RestoreTo = &at
}

// engines plays CloudNativePG, the Jobs and the kubelets.
func (s *kept) engines() {
	GinkgoHelper()
	if s.copy != "" && s.there(s.copy) != nil {
		Expect(cluster.Database(s.ctx, s.namespace, s.copy, 3, string(database.PhaseHealthy))).To(Succeed())
	}
	if old := s.there(s.name + "-db"); database.Hibernating(old) {
		Expect(cluster.Hibernated(s.ctx, s.namespace, s.name+"-db")).To(Succeed())
	}
	for work, found := range s.found {
		s.job("-"+string(work), found)
	}
	n := *s.deployment().Spec.Replicas
	s.gateways(n, n)
	for i := range 2 {
		name := fmt.Sprintf("%s-%d", s.program, i)
		switch runs := s.uid(name) != ""; {
		case runs && n == 0:
			s.remove(name)
		case !runs && n > 0:
			s.pod(name, desired.Selector(s.get(), desired.Gateway), fmt.Sprintf("10.2.0.%d", i+1))
		}
	}
	held, switched := common.Held(s.get().Annotations), s.get().Annotations[common.DatabaseAnnotation] != ""
	s.wrote = s.wrote || switched && held && n > 0
}

// job plays the pod of a Job of the copy's, which ends well with what it found.
func (s *kept) job(suffix, found string) {
	GinkgoHelper()
	name := s.copy + suffix
	var job batchv1.Job
	if s.copy == "" || cluster.Client.Get(s.ctx, s.whole(name), &job) != nil || s.uid(name) != "" {
		return
	}
	p := s.pod(name, map[string]string{batchv1.JobNameLabel: name}, "10.2.3.1")
	p.Status.Phase = corev1.PodSucceeded
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "c", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Message: found}}}}
	Expect(cluster.Client.Status().Update(s.ctx, p)).To(Succeed())
}

func (s *kept) there(name string) *unstructured.Unstructured {
	GinkgoHelper()
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(database.GVK)
	if err := cluster.Client.Get(s.ctx, s.whole(name), u); err != nil {
		Expect(client.IgnoreNotFound(err)).NotTo(HaveOccurred())
		return nil
	}
	return u
}

func (s *kept) plans() *api.ServiceRecovery {
	GinkgoHelper()
	o := s.planned(api.ActionRestoreDatabase, s.hourAgo)
	s.copy = fmt.Sprintf("%s-db-%s", s.name, o.UID[:6])
	return o
}

// restored says that the service goes on with the copy, and the ledger before is at rest.
func (s *kept) restored() {
	GinkgoHelper()
	Expect(s.wrote).To(BeFalse())
	m := s.get()
	Expect(m.Annotations).To(HaveKeyWithValue(common.DatabaseAnnotation, s.copy))
	Expect(m.Annotations).NotTo(HaveKey(common.HeldAnnotation))
	from, _, _ := unstructured.NestedString(s.there(s.copy).Object, "spec", "bootstrap", "recovery", "source")
	Expect(from).To(Equal("origin"))
	Expect(s.deployment().Spec.Replicas).To(HaveValue(BeEquivalentTo(2)))
	Expect(fmt.Sprint(s.deployment().Spec.Template.Spec.Volumes)).To(ContainSubstring(s.copy + "-app"))
	Expect(database.Hibernated(s.there(s.name + "-db"))).To(BeTrue())
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(database.ScheduleGVK)
	Expect(cluster.Client.Get(s.ctx, s.key("-db"), u)).To(Succeed())
	suspended, _, _ := unstructured.NestedBool(u.Object, "spec", "suspend")
	Expect(suspended).To(BeTrue(), "what is at rest cannot be copied each night")
}

var _ = Describe("RestoreDatabase", func() {
	It("has the ledger as it was, carries over what came since, and ends when the gateways serve with it", func(ctx SpecContext) {
		s := newKept(ctx, "restore")
		o := s.plans()
		Expect(o.Status.Plan.PointOfNoReturn).To(Equal("switch-database"))
		Expect(s.there(s.copy)).To(BeNil(), "a dry run changes nothing")
		s.succeeds(o, 30)
		s.restored()
		Expect(o.Status.Evidence.MeasuredLoss).To(HaveValue(Equal(api.Loss{})))
		for i := range s.trace {
			s.trace[i] = shorn(s.trace[i], s.copy)
		}
		for i := range o.Status.Steps {
			o.Status.Steps[i].Message = shorn(o.Status.Steps[i].Message, s.copy)
		}
		s.golden(o)
	})

	It("goes on with the ledger that it has when the copy lacks anything", func(ctx SpecContext) {
		for work, found := range map[desired.Work]string{
			desired.Compare: `{"both":40,"onlyFrom":1,"after":7}`, desired.CarryOver: `{"both":46,"onlyFrom":0,"after":1,"carried":6}`,
		} {
			s := newKept(ctx, "restore-lacks-"+string(work))
			s.found[work] = found
			o := s.plans()
			s.run(o, 30)
			Expect(o.Status.Phase).To(Equal(api.PhaseFailed))
			Expect(o.Status.Message).To(ContainSubstring("the copy lacks 1 message accepted"))
			Expect(s.get().Annotations).NotTo(HaveKey(common.DatabaseAnnotation))
		}
	})

	It("is aborted while it carries over, and the gateways start again", func(ctx SpecContext) {
		s := newKept(ctx, "restore-aborted")
		delete(s.found, desired.CarryOver)
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
		Expect(o.Status.Message).To(ContainSubstring("aborted during step carry-over: 4 of 8 steps were done"))
		Expect(s.get().Annotations).NotTo(HaveKey(common.DatabaseAnnotation))
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
		s := newKept(ctx, "restore-not")
		Expect(s.refused(api.ActionRestoreDatabase, func(o *api.ServiceRecovery) {
			o.Spec.RestoreTo = &metav1.Time{Time: s.clock.Now()}
		}).Message).To(ContainSubstring("may not be in the archive yet"))
		Expect(cluster.Archived(ctx, s.namespace, s.name+"-db", false, s.clock.Now().Add(-24*time.Hour).UTC().Format(time.RFC3339))).To(Succeed())
		Expect(s.refused(api.ActionRestoreDatabase, s.hourAgo).Reason).To(Equal(api.ReasonStateUnknown))
		bare := newStage(ctx, "restore-bare")
		Expect(bare.refused(api.ActionRestoreDatabase, s.hourAgo).Message).To(ContainSubstring("spec.database.backup"))
		b := newBookingStage(ctx, "restore-b")
		Expect(b.refused(api.ActionRestoreDatabase, s.hourAgo).Reason).To(Equal(api.ReasonNotApplicable))
	})

	It("is the only one to give a service another database", func(ctx SpecContext) {
		s := newKept(ctx, "restore-admission")
		m := s.get()
		m.Annotations = map[string]string{common.DatabaseAnnotation: "another"}
		Expect(cluster.Client.Update(ctx, m)).To(MatchError(ContainSubstring("are the manager's")))
		m = s.get()
		m.Annotations = map[string]string{common.HeldAnnotation: "me"}
		Expect(cluster.Client.Update(ctx, m)).To(MatchError(ContainSubstring("are the manager's")))
	})

	It("goes on when its manager is killed at a write", func(ctx SpecContext) {
		const writes = 15 // the schedule's among them
		for at := 1; at <= writes; at++ {
			for _, after := range []bool{false, true} {
				s := newKept(ctx, fmt.Sprintf("rcut-%d-%t", at, after))
				o := s.plans()
				s.survives(o, writes, &cut{Client: s.cached, at: at, after: after}, s.engines)
				s.restored()
				s.killable(o)
			}
		}
	})
})
