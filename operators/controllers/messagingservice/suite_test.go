// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package messagingservice

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/record"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	appsv1 "k8s.io/api/apps/v1"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	desired "spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/operatortest"
	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/operators/ports/fake"
)

func TestMessagingService(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "MessagingService")
}

var (
	cluster *operatortest.Cluster
	// manager has the rights of the manager and no more.
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

// bench is one service under a reconciler that is driven by hand.
type bench struct {
	ctx        context.Context
	reconciler *Reconciler
	prober     *fake.Prober
	clock      *clocktesting.FakeClock
	events     *record.FakeRecorder
	key        client.ObjectKey
}

func newBench(ctx context.Context, name string, options ...func(*api.MessagingService)) *bench {
	GinkgoHelper()
	m := operatortest.Messaging(name, options...)
	Expect(cluster.Client.Create(ctx, m)).To(Succeed())
	b := &bench{ctx: ctx, prober: &fake.Prober{}, clock: clocktesting.NewFakeClock(time.Now()),
		events: record.NewFakeRecorder(500), key: client.ObjectKeyFromObject(m)}
	b.prober.Count(ports.MessagingStatus{})
	b.reconciler = &Reconciler{Client: manager, Prober: b.prober, Events: kit.NewEvents(b.events, b.clock.Now), Clock: b.clock}
	return b
}

// step lets time pass and reconciles.
func (b *bench) step(after time.Duration) reconcile.Result {
	GinkgoHelper()
	b.clock.Step(after)
	result, err := b.reconciler.Reconcile(b.ctx, reconcile.Request{NamespacedName: b.key})
	Expect(err).NotTo(HaveOccurred())
	return result
}

func (b *bench) get() *api.MessagingService {
	GinkgoHelper()
	var m api.MessagingService
	Expect(cluster.Client.Get(b.ctx, b.key, &m)).To(Succeed())
	return &m
}

func (b *bench) change(f func(*api.MessagingService)) {
	GinkgoHelper()
	m := b.get()
	f(m)
	Expect(cluster.Client.Update(b.ctx, m)).To(Succeed())
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
	Expect(cluster.Client.Get(b.ctx, client.ObjectKey{Namespace: b.key.Namespace, Name: b.key.Name + "-gateway"}, &d)).To(Succeed())
	return &d
}

// engines report so many ready members.
func (b *bench) engines(database int64, broker int32) {
	GinkgoHelper()
	phase := "Cluster in healthy state"
	if database < 3 {
		phase = "Waiting for the instances to become active"
	}
	Expect(cluster.Database(b.ctx, b.key.Namespace, b.key.Name+"-db", database, phase)).To(Succeed())
	Expect(cluster.Broker(b.ctx, b.key.Namespace, b.key.Name+"-broker", broker)).To(Succeed())
}

func (b *bench) gateways(updated, available int32) {
	GinkgoHelper()
	Expect(cluster.Deployment(b.ctx, b.key.Namespace, b.key.Name+"-gateway", updated, available)).To(Succeed())
}

// running brings a new service up.
func running(ctx context.Context, name string, options ...func(*api.MessagingService)) *bench {
	GinkgoHelper()
	b := newBench(ctx, name, options...)
	b.step(0)
	b.engines(3, 3)
	b.step(30 * time.Second)
	b.gateways(2, 2)
	b.pod(name+"-1", b.image(), "10.1.0.1")
	b.step(30 * time.Second)
	b.step(30 * time.Second)
	Expect(b.condition("Ready").Status).To(Equal(metav1.ConditionTrue), b.condition("Ready").Message)
	Expect(b.condition("Progressing").Status).To(Equal(metav1.ConditionFalse), b.condition("Progressing").Message)
	return b
}

// pod plays a ready gateway with an image.
func (b *bench) pod(name, image, ip string) {
	GinkgoHelper()
	d := b.deployment()
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: b.key.Namespace, Name: name, Labels: desired.Selector(b.get(), desired.Gateway)}, Spec: d.Spec.Template.Spec}
	p.Spec.Containers[0].Image = image
	Expect(cluster.Client.Create(b.ctx, p)).To(Succeed())
	p.Status.PodIP, p.Status.PodIPs = ip, []corev1.PodIP{{IP: ip}}
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	Expect(cluster.Client.Status().Update(b.ctx, p)).To(Succeed())
}
