// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package bookingservice

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/record"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	desired "spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/operatortest"
	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/operators/ports/fake"
)

func TestBookingService(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "BookingService")
}

const namespace = "spine-booking"

var (
	cluster *operatortest.Cluster
	// manager may do what the manager's role allows, and no more.
	manager client.WithWatch
)

var _ = BeforeSuite(func() {
	var err error
	cluster, err = operatortest.Start()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cluster.Stop)
	manager, err = cluster.CachedManager()
	Expect(err).NotTo(HaveOccurred())
})

// sample is a BookingService that needs nothing but a name.
func sample(name string) *booking.BookingService {
	resources := common.Resources{CPU: resource.MustParse("100m"), Memory: resource.MustParse("256Mi")}
	b := &booking.BookingService{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}}
	b.Spec.Service = common.WorkloadSpec{Image: operatortest.Image("booking-service", '1'), Resources: resources}
	b.Spec.Database = common.DatabaseSpec{
		Image: operatortest.Image("postgresql", '1'), Resources: resources,
		Storage: common.Storage{Size: resource.MustParse("2Gi")},
	}
	b.Spec.Gateway = booking.GatewayReference{Name: "spine", Namespace: "spine-messaging"}
	b.Spec.Tokens = booking.TokensSpec{KeysConfigMap: "keys", Issuer: "https://login.test"}
	return b
}

// bench is one service under a reconciler that is driven by hand.
type bench struct {
	ctx        context.Context
	reconciler *Reconciler
	prober     *fake.Prober
	clock      *clocktesting.FakeClock
	events     *record.FakeRecorder
	key        client.ObjectKey
}

func newBench(ctx context.Context, name string, options ...func(*booking.BookingService)) *bench {
	GinkgoHelper()
	service := sample(name)
	for _, change := range options {
		change(service)
	}
	Expect(cluster.Client.Create(ctx, service)).To(Succeed())
	b := &bench{ctx: ctx, prober: &fake.Prober{}, clock: clocktesting.NewFakeClock(time.Now()),
		events: record.NewFakeRecorder(500), key: client.ObjectKeyFromObject(service)}
	b.prober.Count(ports.BookingStatus{})
	b.reconciler = &Reconciler{Client: manager, Prober: b.prober, Events: kit.NewEvents(b.events, b.clock.Now), Clock: b.clock}
	return b
}

// step lets time pass and looks once.
func (b *bench) step(after time.Duration) reconcile.Result {
	GinkgoHelper()
	b.clock.Step(after)
	result, err := b.reconciler.Reconcile(b.ctx, reconcile.Request{NamespacedName: b.key})
	Expect(err).NotTo(HaveOccurred())
	return result
}

// steps looks as often as it wants to be run, for that long.
func (b *bench) steps(d time.Duration) {
	GinkgoHelper()
	for end := b.clock.Now().Add(d); b.clock.Now().Before(end); {
		b.step(5 * time.Second)
	}
}

func (b *bench) get() *booking.BookingService {
	GinkgoHelper()
	var service booking.BookingService
	Expect(cluster.Client.Get(b.ctx, b.key, &service)).To(Succeed())
	return &service
}

func (b *bench) change(f func(*booking.BookingService)) {
	GinkgoHelper()
	service := b.get()
	before := client.MergeFrom(service.DeepCopy())
	f(service)
	Expect(cluster.Client.Patch(b.ctx, service, before)).To(Succeed())
}

func (b *bench) condition(kind string) metav1.Condition {
	GinkgoHelper()
	c := meta.FindStatusCondition(b.get().Status.Conditions, kind)
	Expect(c).NotTo(BeNil(), kind)
	return *c
}

func (b *bench) deployment() *appsv1.Deployment {
	GinkgoHelper()
	var d appsv1.Deployment
	Expect(cluster.Client.Get(b.ctx, client.ObjectKey{Namespace: namespace, Name: b.key.Name + "-service"}, &d)).To(Succeed())
	return &d
}

func (b *bench) image() common.Image {
	GinkgoHelper()
	return common.Image(b.deployment().Spec.Template.Spec.Containers[0].Image)
}

// database reports so many ready instances.
func (b *bench) database(ready int64) {
	GinkgoHelper()
	phase := database.PhaseHealthy
	if ready < 3 {
		phase = "Waiting for the instances to become active"
	}
	Expect(cluster.Database(b.ctx, namespace, desired.DatabaseName(b.get()), ready, string(phase))).To(Succeed())
}

func (b *bench) replicas(updated, available int32) {
	GinkgoHelper()
	Expect(cluster.Deployment(b.ctx, namespace, b.key.Name+"-service", updated, available)).To(Succeed())
}

// pod plays a ready replica of an image.
func (b *bench) pod(name, ip string, image common.Image) {
	GinkgoHelper()
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: desired.Selector(b.get(), desired.ComponentService)},
		Spec:       b.deployment().Spec.Template.Spec,
	}
	p.Spec.Containers[0].Image = string(image)
	Expect(cluster.Client.Create(b.ctx, p)).To(Succeed())
	p.Status.PodIP, p.Status.PodIPs = ip, []corev1.PodIP{{IP: ip}}
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	Expect(cluster.Client.Status().Update(b.ctx, p)).To(Succeed())
}

// told drains the events told so far.
func (b *bench) told() []string {
	var out []string
	for {
		select {
		case e := <-b.events.Events:
			out = append(out, e)
		default:
			return out
		}
	}
}

// running brings a new service up.
func running(ctx context.Context, name string, options ...func(*booking.BookingService)) *bench {
	GinkgoHelper()
	b := newBench(ctx, name, options...)
	b.step(0)
	b.database(3)
	b.step(30 * time.Second)
	b.replicas(2, 2)
	b.pod(name+"-1", "10.0.0.1", b.image())
	b.step(30 * time.Second)
	b.step(30 * time.Second)
	Expect(b.condition("Ready").Status).To(Equal(metav1.ConditionTrue), b.condition("Ready").Message)
	Expect(b.condition("Progressing").Status).To(Equal(metav1.ConditionFalse), b.condition("Progressing").Message)
	return b
}
