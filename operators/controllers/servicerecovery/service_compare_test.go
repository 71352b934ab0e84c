// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package servicerecovery

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// compares plays the Job of an operation, once it is there, which ends with these words and code, and says its name.
func (s *lost) compares(o *api.ServiceRecovery, words string, code int32) string {
	GinkgoHelper()
	name := fmt.Sprintf("%s-compare-%s", s.name, o.UID[:6])
	// It reads children as the manager does, which may list them and not get one.
	cached, err := cluster.CachedManager()
	Expect(err).NotTo(HaveOccurred())
	s.r.Client = cached
	s.play = func() {
		s.site()
		var job batchv1.Job
		if cluster.Client.Get(s.ctx, s.whole(name), &job) != nil || s.uid(name) != "" {
			return
		}
		p := s.pod(name, map[string]string{batchv1.JobNameLabel: name}, "10.2.3.1")
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "comparer", State: corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Message: words},
		}}}
		Expect(cluster.Client.Status().Update(s.ctx, p)).To(Succeed())
		if code == 0 {
			return
		}
		now := metav1.Now()
		job.Status.StartTime, job.Status.Failed = &now, 11
		job.Status.Conditions = []batchv1.JobCondition{
			{Type: batchv1.JobFailureTarget, Status: corev1.ConditionTrue, Reason: batchv1.JobReasonBackoffLimitExceeded},
			{Type: batchv1.JobFailed, Status: corev1.ConditionTrue, Reason: batchv1.JobReasonBackoffLimitExceeded},
		}
		Expect(cluster.Client.Status().Update(s.ctx, &job)).To(Succeed())
	}
	return name
}

const aloneOnes = `{"alone":3,"again":1,"listed":3,"first":"2026-11-22T02:59:58.1Z","last":"2026-11-22T02:59:59.2Z"}`

var _ = Describe("CompareSites", func() {
	It("says what the site alone holds, and changes nothing", func(ctx SpecContext) {
		s := newLost(ctx, "compare", true)
		o := s.planned(api.ActionCompareSites)
		name := s.compares(o, aloneOnes, 0)
		s.run(o, 10)
		Expect(o.Status.Phase).To(Equal(api.PhaseSucceeded), o.Status.Message)
		Expect(o.Status.Evidence.Notes).To(ContainElement(fmt.Sprintf("the list, for a day: kubectl -n %s logs %s > missing.csv", s.namespace, name)))
		Expect(string(s.live().GetUID())).To(Equal(s.began))
		Expect(s.get().Annotations).To(HaveKeyWithValue(common.RoleAnnotation, string(common.SiteQuiesced)))
		for i := range s.trace {
			s.trace[i] = shorn(s.trace[i], name)
		}
		for i := range o.Status.Evidence.Notes {
			o.Status.Evidence.Notes[i] = shorn(o.Status.Evidence.Notes[i], name)
		}
		s.golden(o)
	})

	It("is not carried out at a site that serves, or stands by", func(ctx SpecContext) {
		s := newLost(ctx, "compare-serves", true)
		s.vote("east")
		s.play = func() {}
		Expect(s.refused(api.ActionCompareSites).Message).To(ContainSubstring("site east on record"))
	})

	It("says so when the other site's database cannot be read", func(ctx SpecContext) {
		s := newLost(ctx, "compare-refused", true)
		o := s.planned(api.ActionCompareSites)
		s.compares(o, "alone: the other site's database: no route to host", 1)
		s.run(o, 10)
		Expect(o.Status.Phase).To(Equal(api.PhaseFailed))
		Expect(o.Status.Message).To(ContainSubstring("no route to host"))
	})

	It("goes on when its manager is killed at a write", func(ctx SpecContext) {
		for at := 1; at <= 3; at++ {
			for _, after := range []bool{false, true} {
				s := newLost(ctx, fmt.Sprintf("compare-cut-%d-%t", at, after), true)
				o := s.planned(api.ActionCompareSites)
				s.compares(o, aloneOnes, 0)
				s.survives(o, 3, &cut{Client: s.r.Client, at: at, after: after}, s.play)
				s.killable(o)
				Expect(cluster.Client.Delete(ctx, s.policy())).To(Succeed())
			}
		}
	})
})
