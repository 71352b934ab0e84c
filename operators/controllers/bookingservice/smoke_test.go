// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package bookingservice

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/operatortest"
	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/operators/ports/fake"
)

// Everything else is driven by hand; this is about watches and caches, and about the
// manager's rights to them.
var _ = Describe("A running manager", func() {
	It("brings a service up by itself, and repairs what is deleted", func(ctx SpecContext) {
		config := rest.CopyConfig(cluster.Config)
		config.Impersonate = rest.ImpersonationConfig{
			UserName: "system:serviceaccount:spine-system:spine-manager",
			Groups:   []string{"system:serviceaccounts", "system:authenticated"},
		}
		m, err := ctrl.NewManager(config, ctrl.Options{
			Scheme: operatortest.Scheme(),
			Cache:  cache.Options{DefaultNamespaces: map[string]cache.Config{namespace: {}}},
			Client: client.Options{Cache: &client.CacheOptions{
				Unstructured: true, DisableFor: []client.Object{&coordinationv1.Lease{}}, // as the manager has it
			}},
			Metrics: metricsserver.Options{BindAddress: "0"},
		})
		Expect(err).NotTo(HaveOccurred())
		prober := &fake.Prober{}
		prober.Count(ports.BookingStatus{})
		now := clock.RealClock{}
		r := &Reconciler{Client: m.GetClient(), Prober: prober, Events: kit.NewEvents(record.NewFakeRecorder(1000), now.Now), Clock: now}
		Expect(r.SetupWithManager(m)).To(Succeed())
		running, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- m.Start(running) }()
		DeferCleanup(func() {
			stop()
			Expect(<-ended).To(Succeed())
		})

		b := newBench(ctx, "smoke")
		Eventually(func() error {
			return cluster.Database(ctx, namespace, "smoke-db", 3, "Cluster in healthy state")
		}, 30*time.Second).Should(Succeed())
		Eventually(func() error { return cluster.Deployment(ctx, namespace, "smoke-service", 2, 2) }, 30*time.Second).Should(Succeed())
		b.pod("smoke-1", "10.0.9.1", b.image())
		ready := func() bool { return meta.IsStatusConditionTrue(b.get().Status.Conditions, common.ConditionReady) }
		Eventually(ready, 60*time.Second).Should(BeTrue())

		before := b.deployment()
		Expect(cluster.Client.Delete(ctx, before)).To(Succeed())
		Eventually(func() (types.UID, error) {
			var d appsv1.Deployment
			err := cluster.Client.Get(ctx, client.ObjectKeyFromObject(before), &d)
			return d.UID, err
		}, 30*time.Second).ShouldNot(Equal(before.UID))

		b.change(func(s *booking.BookingService) {
			s.Annotations = map[string]string{common.ForceDeleteAnnotation: "test is over"}
		})
		Expect(cluster.Client.Delete(ctx, b.get())).To(Succeed())
		Eventually(func() bool {
			return apierrors.IsNotFound(cluster.Client.Get(ctx, b.key, &booking.BookingService{}))
		}, 30*time.Second).Should(BeTrue())
	}, SpecTimeout(3*time.Minute))
})
