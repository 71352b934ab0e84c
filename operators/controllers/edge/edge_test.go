// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package edge

import (
	"net/netip"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/operatortest"
)

func TestEdge(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Edge")
}

var cluster *operatortest.Cluster

var _ = BeforeSuite(func() {
	var err error
	cluster, err = operatortest.Start()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cluster.Stop)
})

func service(name, namespace, class string, port int32) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeLoadBalancer, LoadBalancerClass: ptr.To(class), AllocateLoadBalancerNodePorts: ptr.To(false),
			Ports: []corev1.ServicePort{{Port: port}},
		},
	}
}

var _ = Describe("A Service of the edge's class", func() {
	It("gets the address, unless an older one has its port", func(ctx SpecContext) {
		events := record.NewFakeRecorder(10)
		r := &Reconciler{Client: cluster.Client, Address: netip.MustParseAddr("10.90.0.101"),
			Events: kit.NewEvents(events, time.Now), Clock: clock.RealClock{}}
		first := service("b-first", "spine-messaging", common.EdgeLoadBalancerClass, 8443)
		other := service("another", "spine-messaging", "elsewhere.test/class", 8443)
		late := service("late", "spine-booking", common.EdgeLoadBalancerClass, 8443)
		free := service("a-free", "spine-booking", common.EdgeLoadBalancerClass, 8445)
		for _, s := range []*corev1.Service{first, other, free, late} {
			Expect(cluster.Client.Create(ctx, s)).To(Succeed())
		}
		// Creation times have seconds; a later second is a later Service.
		Eventually(func() bool { return time.Since(first.CreationTimestamp.Time) > 2*time.Second }, 5*time.Second).Should(BeTrue())
		Expect(cluster.Client.Delete(ctx, late)).To(Succeed())
		late = service("late", "spine-booking", common.EdgeLoadBalancerClass, 8443)
		Expect(cluster.Client.Create(ctx, late)).To(Succeed())

		look := func(s *corev1.Service) {
			GinkgoHelper()
			_, err := r.Reconcile(ctx, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(s)})
			Expect(err).NotTo(HaveOccurred())
			Expect(cluster.Client.Get(ctx, client.ObjectKeyFromObject(s), s)).To(Succeed())
		}
		for _, s := range []*corev1.Service{first, other, late, free} {
			look(s)
		}
		Expect(first.Status.LoadBalancer.Ingress).To(HaveLen(1))
		Expect(first.Status.LoadBalancer.Ingress[0].IP).To(Equal("10.90.0.101"))
		Expect(free.Status.LoadBalancer.Ingress).To(HaveLen(1))
		Expect(other.Status.LoadBalancer.Ingress).To(BeEmpty())
		Expect(late.Status.LoadBalancer.Ingress).To(BeEmpty())
		c := meta.FindStatusCondition(late.Status.Conditions, Condition)
		Expect(c.Reason).To(Equal(common.ReasonPortTaken))
		Expect(c.Message).To(ContainSubstring("spine-messaging/b-first"))
		Expect(events.Events).To(Receive(ContainSubstring("port 8443")))

		By("getting it once the port is free")
		Expect(cluster.Client.Delete(ctx, first)).To(Succeed())
		look(late)
		Expect(late.Status.LoadBalancer.Ingress).To(HaveLen(1))
	})
})
