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

	bookingapi "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	messagingapi "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/desired/database"
	desired "spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/desired/restore"
)

// kept is a service of either kind whose database is kept in an object store, under an operation that restores it.
type kept struct {
	*stage
	// copy that the operation makes, once it is known.
	copy string
	// found is what the Jobs say.
	found map[restore.Work]string
	// pods are the labels of the program's.
	pods map[string]string
	// cached reads children as the manager does, which may list them and not get one.
	cached client.Client
	// wrote says that programs ran while they must not.
	wrote bool
}

// store is where a database is kept.
var store = common.DatabaseBackup{
	Endpoint: "https://objects.test:9000", Bucket: "spine", Secret: common.LocalSecret{Name: "object-store"},
	Networks: []common.SiteNetwork{"10.30.0.0/16"}, RetentionDays: 7,
}

// newKept plays a MessagingService.
func newKept(ctx context.Context, name string) *kept {
	GinkgoHelper()
	s := &kept{stage: newStage(ctx, name, func(m *messagingapi.MessagingService) { m.Spec.Database.Backup = &store }), found: map[restore.Work]string{
		restore.Compare:    `{"both":40,"onlyFrom":0,"onlyTo":2,"differing":0,"after":7,"carried":0,"last":"2026-11-22T14:05:00Z"}`,
		restore.CarryAhead: `{"both":0,"onlyFrom":0,"onlyTo":0,"differing":0,"after":0,"carried":6,"last":""}`,
		restore.CarryOver:  `{"both":8,"onlyFrom":0,"onlyTo":0,"differing":0,"after":0,"carried":2,"last":"2026-11-22T14:09:00Z"}`,
	}}
	m := s.service().(*messagingapi.MessagingService)
	s.pods = desired.Selector(m, desired.Gateway)
	return s.keep(desired.DatabaseSchedule(m))
}

// newKeptBookings plays a BookingService.
func newKeptBookings(ctx context.Context, name string) *kept {
	GinkgoHelper()
	s := &kept{stage: newBookingStage(ctx, name, func(b *bookingapi.BookingService) { b.Spec.Database.Backup = &store }), found: map[restore.Work]string{
		restore.Compare:   `{"both":40,"onlyFrom":0,"onlyTo":5,"differing":1,"after":7,"carried":0,"displaced":0,"last":"2026-11-22T14:05:00Z"}`,
		restore.CarryOver: `{"both":8,"onlyFrom":0,"onlyTo":0,"differing":0,"after":0,"carried":7,"displaced":3,"last":"2026-11-22T14:09:00Z"}`,
	}}
	b := s.service().(*bookingapi.BookingService)
	s.pods = booking.Selector(b, booking.ComponentService)
	return s.keep(booking.DatabaseSchedule(b))
}

func (s *kept) keep(schedule client.Object) *kept {
	GinkgoHelper()
	Expect(cluster.Client.Create(s.ctx, schedule)).To(Succeed())
	Expect(cluster.Archived(s.ctx, s.namespace, s.name+"-db", true, s.clock.Now().Add(-24*time.Hour).UTC().Format(time.RFC3339))).To(Succeed())
	var err error
	s.cached, err = cluster.CachedManager()
	Expect(err).NotTo(HaveOccurred())
	s.r.Client = s.cached
	s.play = s.engines
	return s
}

func (s *stage) hourAgo(o *api.ServiceRecovery) {
	at := metav1.NewTime(s.clock.Now().Add(-time.Hour).Truncate(time.Second))
	o.Spec.RestoreTo = &at
}

// service is the service as it is now.
func (s *stage) service() client.Object {
	GinkgoHelper()
	var o client.Object = &messagingapi.MessagingService{}
	if s.namespace == "spine-booking" {
		o = &bookingapi.BookingService{}
	}
	Expect(cluster.Client.Get(s.ctx, s.key(""), o)).To(Succeed())
	return o
}

// annotated writes an annotation of the service's, as the manager.
func (s *stage) annotated(key, value string) {
	GinkgoHelper()
	o := s.service()
	patch := client.MergeFrom(o.DeepCopyObject().(client.Object))
	o.SetAnnotations(map[string]string{key: value})
	Expect(manager.Patch(s.ctx, o, patch)).To(Succeed())
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
			s.pod(name, s.pods, fmt.Sprintf("10.2.0.%d", i+1))
		}
	}
	annotations := s.service().GetAnnotations()
	held, switched := common.Held(annotations), annotations[common.DatabaseAnnotation] != ""
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

// restored says that the service goes on with the copy, and the database before is at rest.
func (s *kept) restored() {
	GinkgoHelper()
	Expect(s.wrote).To(BeFalse())
	annotations := s.service().GetAnnotations()
	Expect(annotations).To(HaveKeyWithValue(common.DatabaseAnnotation, s.copy))
	Expect(annotations).NotTo(HaveKey(common.HeldAnnotation))
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

// goldenCopy is golden, but for the letters of the operation's UID in the copy's name.
func (s *kept) goldenCopy(o *api.ServiceRecovery) {
	GinkgoHelper()
	for i := range s.trace {
		s.trace[i] = shorn(s.trace[i], s.copy)
	}
	for i := range o.Status.Steps {
		o.Status.Steps[i].Message = shorn(o.Status.Steps[i].Message, s.copy)
	}
	s.golden(o)
}
