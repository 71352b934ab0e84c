// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package messagingservice

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/ports"
)

func (b *bench) gone() bool {
	GinkgoHelper()
	err := cluster.Client.Get(b.ctx, b.key, &api.MessagingService{})
	Expect(client.IgnoreNotFound(err)).To(Succeed())
	return apierrors.IsNotFound(err)
}

func (b *bench) files() string {
	GinkgoHelper()
	var c corev1.ConfigMap
	Expect(cluster.Client.Get(b.ctx, client.ObjectKey{Namespace: b.key.Namespace, Name: b.key.Name + "-gateway"}, &c)).To(Succeed())
	return c.Data["gateway.yaml"]
}

var _ = Describe("Deleting a MessagingService", func() {
	It("is refused with the count while it holds work, until it is forced with a reason", func(ctx SpecContext) {
		b := running(ctx, "holds-work")
		b.prober.Count(ports.MessagingStatus{Unsettled: 1234, OldestUnsettledSeconds: 5})
		b.step(time.Minute)
		err := cluster.Client.Delete(ctx, b.get())
		Expect(apierrors.IsForbidden(err)).To(BeTrue(), "%v", err)
		Expect(err).To(MatchError(ContainSubstring("1234 acknowledged, unprocessed messages")))
		Expect(err).To(MatchError(ContainSubstring(common.ForceDeleteAnnotation)))

		b.change(func(m *api.MessagingService) { m.Annotations = map[string]string{common.ForceDeleteAnnotation: "  "} })
		Expect(cluster.Client.Delete(ctx, b.get())).NotTo(Succeed(), "an empty reason is none")

		b.change(func(m *api.MessagingService) { m.Annotations[common.ForceDeleteAnnotation] = "moved to another site" })
		Expect(cluster.Client.Delete(ctx, b.get())).To(Succeed())
		b.step(0)
		Expect(b.gone()).To(BeTrue())
		Eventually(b.events.Events).Should(Receive(ContainSubstring("moved to another site")))
	})

	It("counts again, refuses new messages, and counts once more", func(ctx SpecContext) {
		b := running(ctx, "recount")
		Expect(cluster.Client.Delete(ctx, b.get())).To(Succeed(), "the last count was zero")

		By("holding on while messages came in after the last count")
		b.prober.Count(ports.MessagingStatus{Unsettled: 7})
		b.step(time.Minute)
		Expect(b.gone()).To(BeFalse())
		Expect(b.condition("Stalled").Reason).To(Equal(common.ReasonUnprocessedWork))
		Expect(b.condition("Stalled").Message).To(ContainSubstring("7 acknowledged messages"))
		Expect(b.files()).NotTo(ContainSubstring("traffic: Stopped"), "they must be delivered")

		By("holding on while nobody answers")
		b.prober.Down(true)
		b.step(time.Minute)
		Expect(b.gone()).To(BeFalse())
		Expect(b.condition("Stalled").Reason).To(Equal(common.ReasonStateUnknown))

		By("refusing new messages once it is empty")
		b.prober.Down(false)
		b.prober.Count(ports.MessagingStatus{})
		b.step(time.Minute)
		Expect(b.files()).To(ContainSubstring("traffic: Stopped"))
		Expect(b.gone()).To(BeFalse())

		By("opening again for one that was in flight")
		b.prober.Count(ports.MessagingStatus{Unsettled: 1})
		b.step(time.Minute)
		Expect(b.files()).NotTo(ContainSubstring("traffic: Stopped"))

		b.prober.Count(ports.MessagingStatus{})
		b.step(time.Minute)
		Expect(b.gone()).To(BeFalse())
		b.clock.SetTime(time.Now()) // the API server's own clock says when the files changed
		b.step(closingTime + time.Second)
		Expect(b.gone()).To(BeTrue())
	})

	It("is forced even when the service cannot be observed", func(ctx SpecContext) {
		b := newBench(ctx, "blind")
		b.step(0)
		Expect(cluster.Client.Create(ctx, &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Namespace: b.key.Namespace, Name: "blind-gateway"},
			Spec: appsv1.DeploymentSpec{
				Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}},
				Template: corev1.PodTemplateSpec{
					ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"a": "b"}},
					Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}},
				},
			},
		})).To(Succeed())
		b.prober.Down(true)
		Expect(cluster.Client.Delete(ctx, b.get())).To(Succeed())
		b.step(time.Minute)
		Expect(b.gone()).To(BeFalse(), "nobody knows what it holds")
		b.change(func(m *api.MessagingService) {
			m.Annotations = map[string]string{common.ForceDeleteAnnotation: "the site is gone"}
		})
		b.step(time.Second)
		Expect(b.gone()).To(BeTrue())
	})

	It("goes at once when no gateway was ever deployed", func(ctx SpecContext) {
		b := newBench(ctx, "never")
		b.step(0)
		b.prober.Down(true)
		Expect(cluster.Client.Delete(ctx, b.get())).To(Succeed())
		b.step(0)
		Expect(b.gone()).To(BeTrue())
	})

	It("is refused when it has served and nobody has counted", func(ctx SpecContext) {
		b := running(ctx, "uncounted")
		m := b.get()
		m.Status.Backlog = nil
		Expect(cluster.Client.Status().Update(ctx, m)).To(Succeed())
		Expect(cluster.Client.Delete(ctx, b.get())).To(MatchError(ContainSubstring("nobody has counted")))
	})
})
