// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"spine.nhs.uk/controlplane/hack/site"
	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	messaging "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
)

var (
	messagingKey = client.ObjectKey{Namespace: "spine-messaging", Name: "spine"}
	bookingKey   = client.ObjectKey{Namespace: "spine-booking", Name: "ers"}
)

// services bring messaging and booking up on the site, and break what they stand on while they carry load.
func services() {
	It("comes up by `make up`, sends a message and makes a booking", Label("recovery", "stock", "diff", "sleep", "restore"), func(ctx context.Context) {
		rack.Services = true
		Expect(rack.Configure(shortCoolDown)).To(Succeed())
		begin := time.Now()
		Expect(rack.Up(ctx)).To(Succeed())
		AddReportEntry("make up, from a site to both services", time.Since(begin).Round(time.Second).String())
		var err error
		objects, err = rack.Objects()
		Expect(err).NotTo(HaveOccurred())
		redundant(ctx, time.Minute)
		allWell(ctx, "a", "b", "c")
	}, NodeTimeout(15*time.Minute))

	servicesDocumented()

	It("has every class of risk of a change on the first page of its report", Label("diff"), riskyChange, NodeTimeout(5*time.Minute))

	It("has both databases in the object store soon", func(ctx context.Context) { archived(ctx, 5*time.Minute) }, NodeTimeout(6*time.Minute))

	It("is left alone by the next `pulumi up`", func(ctx context.Context) {
		unchanged(ctx)
	})

	DescribeTable("keeps every promise under load when", func(ctx context.Context, strike func(context.Context)) {
		redundant(ctx, 3*time.Minute)
		run := startLoad(ctx, 45*time.Second)
		run.flowing(ctx)
		struck := time.Now()
		strike(ctx)
		result := run.finish(ctx)
		redundant(ctx, 10*time.Minute)
		AddReportEntry("gap", fmt.Sprintf("full redundancy %s after the fault; %s",
			time.Since(struck).Round(time.Second), run.summary(result)))
		Expect(result.Findings).To(BeEmpty(), "promises that were broken")
		Expect(result.Counts.Acknowledged).To(BeNumerically(">", 20_000), "messages acknowledged")
		Expect(result.Counts.Bookings).To(BeNumerically(">", 50), "bookings acknowledged")
	},
		Entry("the primary database pods are deleted", deletePrimaries, NodeTimeout(12*time.Minute)),
		Entry("the primary database pods are deleted while the object store is silent", Label("slow", "recovery"), deletePrimariesStoreSilent, NodeTimeout(15*time.Minute)),
		Entry("the broker that leads is killed", killLeadingBroker, NodeTimeout(12*time.Minute)),
		Entry("the broker that leads loses its volume", loseBrokerVolume, NodeTimeout(15*time.Minute)),
		Entry("a gateway and a booking pod are deleted", deletePrograms, NodeTimeout(12*time.Minute)),
		Entry("a host loses its power", cutPrimaryHost, NodeTimeout(12*time.Minute)),
		Entry("every certificate is renewed", renewCertificates, NodeTimeout(12*time.Minute)),
		Entry("the whole broker is wiped", wipeBroker, NodeTimeout(12*time.Minute)),
		Entry("every component rolls to a new image", rollEverything, NodeTimeout(20*time.Minute)),
	)

	recoveries()

	sleeps()

	It("refuses to delete a service that holds acknowledged work, with the count", refusedDeletion, NodeTimeout(3*time.Minute))
	It("refuses to be destroyed with its site, with the count", refusedDestroy, NodeTimeout(5*time.Minute))
}

// shortCoolDown lets one operation follow another.
func shortCoolDown(e site.Environment) { e["operations"].(map[string]any)["coolDown"] = "5s" }

// redundant waits until both services are Ready with every member in place.
func redundant(ctx context.Context, within time.Duration) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		m, b := &messaging.MessagingService{}, &booking.BookingService{}
		g.Expect(objects.Get(ctx, messagingKey, m)).To(Succeed())
		g.Expect(objects.Get(ctx, bookingKey, b)).To(Succeed())
		for name, conditions := range map[string][]metav1.Condition{"messaging": m.Status.Conditions, "booking": b.Status.Conditions} {
			for _, kind := range []string{common.ConditionReady, common.ConditionRedundancy, common.ConditionDeepProbe} {
				c := meta.FindStatusCondition(conditions, kind)
				g.Expect(c).NotTo(BeNil(), "%s: condition %s", name, kind)
				g.Expect(c.Status).To(Equal(metav1.ConditionTrue), "%s: %s is %s: %s", name, kind, c.Reason, c.Message)
			}
			progressing := meta.FindStatusCondition(conditions, common.ConditionProgressing)
			g.Expect(progressing == nil || progressing.Status == metav1.ConditionFalse).To(BeTrue(), "%s: still changing", name)
		}
		g.Expect(m.Status.ObservedGeneration).To(Equal(m.Generation))
		g.Expect(b.Status.ObservedGeneration).To(Equal(b.Generation))
	}).WithContext(ctx).WithTimeout(within).WithPolling(time.Second).Should(Succeed())
}
