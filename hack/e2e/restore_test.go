// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"spine.nhs.uk/controlplane/hack/load/check"
	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	messaging "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	resilience "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// restoreFor is how long a ledger and its standbys may take to be made from the archive, under load.
const restoreFor = 20 * time.Minute

// archived waits until both services' databases can be had back from the object store.
func archived(ctx context.Context, within time.Duration) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		m, b := &messaging.MessagingService{}, &booking.BookingService{}
		g.Expect(objects.Get(ctx, messagingKey, m)).To(Succeed())
		g.Expect(objects.Get(ctx, bookingKey, b)).To(Succeed())
		for _, conditions := range [][]metav1.Condition{m.Status.Conditions, b.Status.Conditions} {
			c := meta.FindStatusCondition(conditions, common.ConditionBackup)
			g.Expect(c).NotTo(BeNil())
			g.Expect(c.Status).To(Equal(metav1.ConditionTrue), "%s: %s", c.Reason, c.Message)
		}
	}).WithContext(ctx).WithTimeout(within).Should(Succeed())
}

// restored deletes acknowledged messages as a mistake by hand would, under load, and has the ledger back as it was
// before, with everything since.
func restored(ctx context.Context, by, other client.Client) {
	redundant(ctx, 3*time.Minute)
	archived(ctx, 5*time.Minute)
	run := startLoad(ctx, 30*time.Minute)
	run.flowing(ctx)
	at := metav1.NewTime(time.Now().Truncate(time.Second))
	run.flowsOn(ctx)
	primary := primaries(ctx)[0]
	out, err := rack.Run(ctx, "kubectl", "-n", primary.Namespace, "exec", primary.Name, "-c", "postgres", "--", "psql", "-qXAt", "-d", "ledger", "-c",
		`WITH gone AS (DELETE FROM ledger.message WHERE seq IN (SELECT seq FROM ledger.message ORDER BY seq LIMIT 500) RETURNING 1) SELECT count(*) FROM gone`)
	Expect(err).NotTo(HaveOccurred())
	Expect(strings.TrimSpace(out)).To(Equal("500"))

	By("being refused until the time is in the archive")
	o := plain(ctx, by, request{action: resilience.ActionRestoreDatabase, to: &at})
	awaitPhase(ctx, by, o, time.Minute, resilience.PhaseBlocked)
	awaitPhase(ctx, by, o, 6*time.Minute, resilience.PhasePlanned)
	disturbed(ctx, by, other, o, restoreFor)
	AddReportEntry("RestoreDatabase", trace(o))
	Expect(o.Status.Evidence.MeasuredLoss).To(HaveValue(Equal(resilience.Loss{})))
	run.flowsOn(ctx)
	run.stop()

	m := &messaging.MessagingService{}
	Expect(objects.Get(ctx, messagingKey, m)).To(Succeed())
	Expect(m.Annotations).To(HaveKey(common.DatabaseAnnotation))
	redundant(ctx, 5*time.Minute)
	result := run.finish(ctx)
	AddReportEntry("load", run.summary(result))
	// What was on its way at that time, and has been settled since, is delivered once more: nobody can tell a settlement
	// from a delivery that went with the mistake, and receivers know a message by its ID.
	for _, f := range result.Findings {
		Expect(f.Defect).To(Equal(check.Redone), "promises that were broken, the deleted messages among them: %v", f.Cases)
		AddReportEntry("delivered once more", f.Count)
	}
}
