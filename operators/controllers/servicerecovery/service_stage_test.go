// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package servicerecovery

import (
	"context"
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/record"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	bookingapi "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	messagingapi "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/desired/database"
	desired "spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/kit/lease"
	"spine.nhs.uk/controlplane/operators/operatortest"
	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/operators/ports/fake"
)

// stage is a whole service, its members played by the test, and a reconciler of
// operations that is driven by hand with the manager's rights.
type stage struct {
	ctx    context.Context
	r      *Reconciler
	prober *fake.Prober
	dead   *fake.DeadLetters
	clock  *clocktesting.FakeClock
	// namespace and name of the service, and its program's Deployment.
	namespace, name, program string
	// play is called after each reconcile: what the engines and the kubelets would do.
	play func()
	// trace is what a person would have seen of the operations, a line for each change.
	trace []string
	// made counts members that were made anew.
	made int
	// primary and instances of the database, as CloudNativePG says them.
	primary   string
	instances []string
}

// newStage plays a MessagingService.
func newStage(ctx context.Context, name string, options ...func(*messagingapi.MessagingService)) *stage {
	GinkgoHelper()
	m := operatortest.Messaging(name, options...)
	s := empty(ctx, m, name+"-gateway")
	s.count(ports.MessagingStatus{Unsettled: 12})
	for _, child := range []client.Object{
		desired.DatabaseCluster(m), desired.BrokerCluster(m), desired.GatewayDeployment(m, string(m.Spec.Gateway.Image)),
	} {
		Expect(cluster.Client.Create(ctx, child)).To(Succeed())
	}
	s.broker(3)
	for i := range 3 {
		s.node(i)
		s.claim(fmt.Sprintf("persistence-%s-broker-server-%d", name, i), nil)
	}
	return s.fill(desired.Selector(m, desired.Gateway))
}

// newBookingStage plays a BookingService.
func newBookingStage(ctx context.Context, name string, options ...func(*bookingapi.BookingService)) *stage {
	GinkgoHelper()
	b := bookings(name, options...)
	s := empty(ctx, b, name+"-service")
	s.prober.Count(ports.BookingStatus{OutboxPending: 3})
	for _, child := range []client.Object{booking.Database(b), booking.Deployment(b, string(b.Spec.Service.Image))} {
		Expect(cluster.Client.Create(ctx, child)).To(Succeed())
	}
	return s.fill(booking.Selector(b, booking.ComponentService))
}

// bookings is a BookingService that needs nothing but a name.
func bookings(name string, options ...func(*bookingapi.BookingService)) *bookingapi.BookingService {
	resources := common.Resources{CPU: resource.MustParse("100m"), Memory: resource.MustParse("256Mi")}
	b := &bookingapi.BookingService{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "spine-booking"}}
	b.Spec.Service = common.WorkloadSpec{Image: operatortest.Image("booking-service", '1'), Resources: resources}
	b.Spec.Database = common.DatabaseSpec{
		Image: operatortest.Image("postgresql", '1'), Resources: resources, Storage: common.Storage{Size: resource.MustParse("2Gi")},
	}
	b.Spec.Gateway = bookingapi.GatewayReference{Name: "spine", Namespace: "spine-messaging"}
	b.Spec.Tokens = bookingapi.TokensSpec{KeysConfigMap: "keys", Issuer: "https://login.test"}
	for _, f := range options {
		f(b)
	}
	return b
}

// empty is a service without any member.
func empty(ctx context.Context, service client.Object, program string) *stage {
	GinkgoHelper()
	name := service.GetName()
	s := &stage{
		ctx: ctx, prober: &fake.Prober{}, dead: &fake.DeadLetters{}, clock: clocktesting.NewFakeClock(time.Now()),
		namespace: service.GetNamespace(), name: name, program: program, play: func() {},
		primary: name + "-db-1", instances: []string{name + "-db-1", name + "-db-2", name + "-db-3"},
	}
	s.r = &Reconciler{
		Client: manager, Reader: manager, Prober: s.prober, DeadLetters: s.dead,
		Events: kit.NewEvents(record.NewFakeRecorder(500), s.clock.Now), Clock: s.clock, Actions: Actions(),
	}
	forget(ctx, lease.Site)
	Expect(cluster.Client.Create(ctx, service)).To(Succeed())
	// What is on hosts counts every service of the site.
	DeferCleanup(func(ctx SpecContext) {
		Expect(client.IgnoreNotFound(cluster.Client.Delete(ctx, service))).To(Succeed())
	})
	return s
}

// fill makes the members that both kinds of service have.
func (s *stage) fill(program map[string]string) *stage {
	GinkgoHelper()
	for _, i := range s.instances {
		s.instance(i, "")
	}
	s.database(database.PhaseHealthy, s.instances...)
	s.gateways(2, 2)
	for i := range 2 {
		s.pod(fmt.Sprintf("%s-%d", s.program, i), program, fmt.Sprintf("10.2.0.%d", i+1))
	}
	s.made = 0
	return s
}

func (s *stage) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: s.namespace, Name: s.name + name}
}

// count is what the gateways answer; they are connected to the broker.
func (s *stage) count(status ports.MessagingStatus) {
	status.Broker.Connected = true
	s.prober.Count(status)
}

// pod plays one that is ready, on no host: it is gone at once when it is deleted.
func (s *stage) pod(name string, labels map[string]string, ip string, options ...func(*corev1.Pod)) *corev1.Pod {
	GinkgoHelper()
	restricted := &corev1.SecurityContext{
		AllowPrivilegeEscalation: ptr.To(false), RunAsNonRoot: ptr.To(true),
		Capabilities:   &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name, Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i", SecurityContext: restricted}}},
	}
	for _, o := range options {
		o(p)
	}
	Expect(cluster.Client.Create(s.ctx, p)).To(Succeed())
	p.Status.PodIP, p.Status.PodIPs = ip, []corev1.PodIP{{IP: ip}}
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	Expect(cluster.Client.Status().Update(s.ctx, p)).To(Succeed())
	return p
}

// claim plays a bound volume; it goes only when release is called, as its pod uses it.
func (s *stage) claim(name string, labels map[string]string) {
	GinkgoHelper()
	Expect(cluster.Client.Create(s.ctx, &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name, Labels: labels},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
		},
	})).To(Succeed())
}

// release lets volumes go that were deleted, as the cluster does once no pod uses them.
func (s *stage) release() []string {
	GinkgoHelper()
	var list corev1.PersistentVolumeClaimList
	Expect(cluster.Client.List(s.ctx, &list, client.InNamespace(s.namespace))).To(Succeed())
	var gone []string
	for i := range list.Items {
		v := &list.Items[i]
		if v.DeletionTimestamp == nil {
			continue
		}
		v.Finalizers = nil
		Expect(cluster.Client.Update(s.ctx, v)).To(Succeed())
		gone = append(gone, v.Name)
	}
	return gone
}

// node plays a member of the broker.
func (s *stage) node(i int) {
	GinkgoHelper()
	var set appsv1.StatefulSet
	Expect(cluster.Client.Get(s.ctx, s.key("-broker-server"), &set)).To(Succeed())
	s.made++
	s.pod(fmt.Sprintf("%s-%d", set.Name, i), set.Spec.Selector.MatchLabels, fmt.Sprintf("10.2.1.%d", i+1), func(p *corev1.Pod) {
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "StatefulSet", Name: set.Name, UID: set.UID, Controller: ptr.To(true)}}
	})
}

func (s *stage) broker(ready int32) {
	GinkgoHelper()
	Expect(cluster.Broker(s.ctx, s.namespace, s.name+"-broker", ready)).To(Succeed())
}

func (s *stage) gateways(updated, available int32) {
	GinkgoHelper()
	Expect(cluster.Deployment(s.ctx, s.namespace, s.program, updated, available)).To(Succeed())
}

// instance plays a member of the database with its volume, restarted at a time if one is given.
func (s *stage) instance(name, at string) {
	GinkgoHelper()
	labels := map[string]string{database.ClusterLabel: s.name + "-db", instanceLabel: name}
	var v corev1.PersistentVolumeClaim
	if cluster.Client.Get(s.ctx, client.ObjectKey{Namespace: s.namespace, Name: name}, &v) != nil {
		s.claim(name, labels)
	}
	labels[database.RoleLabel] = database.RoleInstance
	s.made++
	s.pod(name, labels, "10.2.2.1", func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{Name: "pgdata", VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name}}}}
		if at != "" {
			p.Annotations = map[string]string{restartedAt: at}
		}
	})
}

// database plays CloudNativePG's word on its instances, of which those are healthy.
func (s *stage) database(phase database.Phase, healthy ...string) {
	GinkgoHelper()
	u := s.cluster()
	image, _, _ := unstructured.NestedString(u.Object, "spec", "imageName")
	names, well, reported := []any{}, []any{}, map[string]any{}
	for _, i := range s.instances {
		names = append(names, i)
		if slices.Contains(healthy, i) {
			well = append(well, i)
			reported[i] = map[string]any{"isPrimary": i == s.primary, "timeLineID": int64(1)}
		}
	}
	Expect(unstructured.SetNestedMap(u.Object, map[string]any{
		"phase": string(phase), "instances": int64(len(names)), "readyInstances": int64(len(well)), "image": image,
		"currentPrimary": s.primary, "targetPrimary": s.primary, "instanceNames": names,
		"instancesStatus": map[string]any{"healthy": well}, "instancesReportedState": reported,
	}, "status")).To(Succeed())
	Expect(cluster.Client.Status().Update(s.ctx, u)).To(Succeed())
}

func (s *stage) cluster() *unstructured.Unstructured {
	GinkgoHelper()
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(database.GVK)
	Expect(cluster.Client.Get(s.ctx, s.key("-db"), u)).To(Succeed())
	return u
}

func (s *stage) deployment() *appsv1.Deployment {
	GinkgoHelper()
	var d appsv1.Deployment
	Expect(cluster.Client.Get(s.ctx, s.whole(s.program), &d)).To(Succeed())
	return &d
}

// uids of the pods whose names begin like that.
func (s *stage) uid(name string) string {
	GinkgoHelper()
	var p corev1.Pod
	if err := cluster.Client.Get(s.ctx, client.ObjectKey{Namespace: s.namespace, Name: name}, &p); err != nil {
		Expect(client.IgnoreNotFound(err)).NotTo(HaveOccurred())
		return ""
	}
	return string(p.UID)
}

// ask makes an operation of alice's on the service.
func (s *stage) ask(action api.Action, options ...option) *api.ServiceRecovery {
	GinkgoHelper()
	o := newRecovery(s.name+"-"+fmt.Sprint(s.clock.Now().UnixNano()), func(o *api.ServiceRecovery) {
		o.Namespace, o.Spec.Action, o.Spec.Service.Name = s.namespace, action, s.name
		if s.namespace == "spine-booking" {
			o.Spec.Service.Kind = "BookingService"
		}
	})
	for _, f := range options {
		f(o)
	}
	s.clock.Step(time.Millisecond)
	Expect(as("alice").Create(s.ctx, o)).To(Succeed())
	return o
}

// step reconciles the operation once and lets time and the engines go on.
func (s *stage) step(o *api.ServiceRecovery) {
	GinkgoHelper()
	_, err := s.r.Reconcile(s.ctx, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(o)})
	Expect(err).NotTo(HaveOccurred())
	Expect(cluster.Client.Get(s.ctx, client.ObjectKeyFromObject(o), o)).To(Succeed())
	s.see(o)
	s.play()
	s.clock.Step(time.Second)
}

// refused is the one blocker of a dry run.
func (s *stage) refused(action api.Action, options ...option) api.Blocker {
	GinkgoHelper()
	o := s.ask(action, options...)
	s.step(o)
	Expect(o.Status.Phase).To(Equal(api.PhaseBlocked), o.Status.Message)
	Expect(o.Status.Blockers).To(HaveLen(1))
	return o.Status.Blockers[0]
}

// planned is a dry run that nothing holds back.
func (s *stage) planned(action api.Action, options ...option) *api.ServiceRecovery {
	GinkgoHelper()
	o := s.ask(action, options...)
	s.step(o)
	Expect(o.Status.Phase).To(Equal(api.PhasePlanned), o.Status.Message)
	return o
}

// agree makes the real run of a plan.
func (s *stage) agree(o *api.ServiceRecovery) {
	GinkgoHelper()
	patch := client.MergeFrom(o.DeepCopy())
	o.Spec.DryRun, o.Spec.PlanDigest = ptr.To(false), o.Status.Plan.Digest
	Expect(as("alice").Patch(s.ctx, o, patch)).To(Succeed())
}

// run carries an operation out to its end, in at most that many reconciles.
func (s *stage) run(o *api.ServiceRecovery, most int) {
	GinkgoHelper()
	s.agree(o)
	for range most {
		if s.step(o); o.Status.Phase.Ended() {
			s.step(o) // gives the leases back
			return
		}
	}
	Fail(fmt.Sprintf("not ended after %d steps: %s: %s %v", most, o.Status.Phase, o.Status.Message, o.Status.Steps))
}

func (s *stage) succeeds(o *api.ServiceRecovery, most int) {
	GinkgoHelper()
	s.run(o, most)
	Expect(o.Status.Phase).To(Equal(api.PhaseSucceeded), o.Status.Message)
	Expect(o.Status.Evidence.BacklogAfter).NotTo(BeNil())
}
