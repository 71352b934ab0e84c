// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
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
	anyTime := func(context.Context, time.Time) {}
	_, result := restoring(ctx, by, other, request{action: resilience.ActionRestoreDatabase}, anyTime, func(ctx context.Context, _, _ time.Time) {
		Expect(psql(ctx, primaries(ctx)[0], "ledger",
			`WITH gone AS (DELETE FROM ledger.message WHERE seq IN (SELECT seq FROM ledger.message ORDER BY seq LIMIT 500) RETURNING 1) SELECT count(*) FROM gone`)).To(Equal("500"))
	})
	m := &messaging.MessagingService{}
	Expect(objects.Get(ctx, messagingKey, m)).To(Succeed())
	Expect(m.Annotations).To(HaveKey(common.DatabaseAnnotation))
	// What was on its way at that time, and has been settled since, is delivered once more: nobody can tell a settlement
	// from a delivery that went with the mistake, and receivers know a message by its ID.
	for _, f := range result.Findings {
		Expect(f.Defect).To(Equal(check.Redone), "promises that were broken, the deleted messages among them: %v", f.Cases)
		AddReportEntry("delivered once more", f.Count)
	}
}

// bookingsMade counts bookings that the load has made of slots that are kept here: %[1]s is when it began.
const bookingsMade = `SELECT count(*) FROM booking.appointments a JOIN booking.referrals r USING (ubrn)
  WHERE a.state = 'BOOKED' AND a.slot_id IS NOT NULL AND r.created > '%[1]s'`

// bookingsLost is a mistake by hand among bookings that the load has made: %[1]s is when it began, %[2]s the time to go
// back to. Fifty referrals go with all that refers to them, twenty of their slots are offered again, and ten bookings more
// are cancelled past the program.
const bookingsLost = `WITH doomed AS MATERIALIZED (
  SELECT a.ubrn, a.slot_id, row_number() OVER (ORDER BY a.id) AS n
  FROM booking.appointments a JOIN booking.referrals r USING (ubrn)
  WHERE a.state = 'BOOKED' AND a.slot_id IS NOT NULL AND r.created > '%[1]s' AND a.updated < '%[2]s' AND r.updated < '%[2]s'
  ORDER BY a.id LIMIT 60
), gone AS (SELECT ubrn, slot_id FROM doomed WHERE n <= 50),
issues AS (DELETE FROM booking.asi WHERE ubrn IN (SELECT ubrn FROM gone)),
appointments AS (DELETE FROM booking.appointments WHERE ubrn IN (SELECT ubrn FROM gone)),
keys AS (DELETE FROM booking.idempotency WHERE ubrn IN (SELECT ubrn FROM gone)),
offered AS (UPDATE booking.slots SET state = 'FREE' WHERE id IN (SELECT slot_id FROM gone ORDER BY slot_id LIMIT 20)),
cancelled AS (UPDATE booking.appointments SET state = 'CANCELLED' WHERE state = 'BOOKED' AND ubrn IN (SELECT ubrn FROM doomed WHERE n > 50) RETURNING 1),
referrals AS (DELETE FROM booking.referrals WHERE ubrn IN (SELECT ubrn FROM gone) RETURNING 1)
SELECT (SELECT count(*) FROM referrals), (SELECT count(*) FROM cancelled), (SELECT string_agg(lpad(ubrn::text, 12, '0'), ' ') FROM gone)`

// hadBack and displaced are how the evidence says what was had back, and who has lost a slot.
var (
	hadBack   = regexp.MustCompile(`; (\d+) are had back;`)
	displaced = regexp.MustCompile(`(\d+) bookings? that (?:was|were) had back had lost`)
)

// twice is how the checker says that two bookings of a slot were acknowledged, of which the first one was not cancelled.
var twice = regexp.MustCompile(`^slot \d+: UBRN (\d{12}) at [^ ]+ and UBRN`)

// destroyed is how the generator ends when a user asked for a referral while it was not there.
var destroyed = regexp.MustCompile(`pages were refused: /referral: HTTP 404\n`)

// restoredBookings destroys acknowledged bookings in the same way, some of whose slots other patients get meanwhile, and has
// them back.
func restoredBookings(ctx context.Context, by, other client.Client) {
	// Users look at several pages before they book, and some change a booking right after: of these, sixty have to be as they
	// were at the time to go back to.
	enough := func(ctx context.Context, began time.Time) {
		Eventually(func() (int, error) {
			return strconv.Atoi(psql(ctx, primaries(ctx)[1], "booking", fmt.Sprintf(bookingsMade, began.UTC().Format(time.RFC3339))))
		}).WithContext(ctx).WithTimeout(3 * time.Minute).WithPolling(5 * time.Second).Should(BeNumerically(">=", 240))
	}
	var gone sets.Set[string]
	o, result := restoring(ctx, by, other, request{booking: true, action: resilience.ActionRestoreDatabase}, enough, func(ctx context.Context, began, at time.Time) {
		words := strings.Split(psql(ctx, primaries(ctx)[1], "booking",
			fmt.Sprintf(bookingsLost, began.UTC().Format(time.RFC3339), at.UTC().Format(time.RFC3339))), "|")
		Expect(words[:2]).To(Equal([]string{"50", "10"}))
		gone = sets.New(strings.Fields(words[2])...)
	})
	Expect(bookingService(ctx).Annotations).To(HaveKey(common.DatabaseAnnotation))
	notes := strings.Join(o.Status.Evidence.Notes, "\n")
	// All that was destroyed, and what was cancelled past the program, unless its user has changed it since.
	back := hadBack.FindStringSubmatch(notes)
	Expect(back).To(HaveLen(2), notes)
	Expect(strconv.Atoi(back[1])).To(And(BeNumerically(">=", 50), BeNumerically("<=", 60)))
	said := displaced.FindStringSubmatch(notes)
	Expect(said).To(HaveLen(2), "nobody was given a slot that was offered again: %s", notes)
	most, err := strconv.ParseInt(said[1], 10, 64)
	Expect(err).NotTo(HaveOccurred())
	// Slots that were given to another patient stay theirs, and whoever had one before is on the worklist. A booking that its
	// user had begun to change when it was destroyed is no promise any more, and is not among the findings.
	for _, f := range result.Findings {
		if f.Defect == check.DoubleBooked {
			// Whoever booked such a slot and cancelled again, before the booking was had back, was alone there: one that was
			// destroyed did not live meanwhile, which only this mistake knows. Two that live now would be told otherwise.
			for _, c := range f.Cases {
				first := twice.FindStringSubmatch(c)
				Expect(first).To(HaveLen(2), c)
				Expect(gone.Has(first[1])).To(BeTrue(), "double-booked: %s", c)
			}
			Expect(f.Cases).To(HaveLen(int(f.Count)), "cases that are not listed")
			AddReportEntry("booked and cancelled while destroyed", f.Count)
			continue
		}
		Expect(f.Defect).To(Equal(check.Displaced), "promises that were broken, the destroyed bookings among them: %v", f.Cases)
	}
	Expect(result.Of(check.Displaced)).To(And(BeNumerically(">", 0), BeNumerically("<=", most)), notes)
	AddReportEntry("displaced", result.Of(check.Displaced))
}

// restoring has a service's database back as it was right before a mistake, under load. Until waits for what the mistake needs
// of the load, and is told when that began; the mistake is told the time to go back to besides.
func restoring(ctx context.Context, by, other client.Client, r request,
	until func(ctx context.Context, began time.Time), mistake func(ctx context.Context, began, at time.Time)) (*resilience.ServiceRecovery, check.Result) {
	GinkgoHelper()
	redundant(ctx, 3*time.Minute)
	archived(ctx, 5*time.Minute)
	began := time.Now()
	run := startLoad(ctx, 30*time.Minute)
	run.refused = destroyed
	run.flowing(ctx)
	until(ctx, began)
	at := metav1.NewTime(time.Now().Truncate(time.Second))
	run.flowsOn(ctx)
	mistake(ctx, began, at.Time)

	By("being refused until the time is in the archive")
	r.to = &at
	o := plain(ctx, by, r)
	awaitPhase(ctx, by, o, time.Minute, resilience.PhaseBlocked)
	awaitPhase(ctx, by, o, 6*time.Minute, resilience.PhasePlanned)
	disturbed(ctx, by, other, o, restoreFor)
	AddReportEntry("RestoreDatabase", trace(o))
	Expect(o.Status.Evidence.MeasuredLoss).To(HaveValue(Equal(resilience.Loss{})))
	run.flowsOn(ctx)
	run.stop()

	redundant(ctx, 5*time.Minute)
	result := run.finish(ctx)
	AddReportEntry("load", run.summary(result))
	return o, result
}

// psql runs a statement as the superuser of a database's instance, and returns what it selects, a row to a line.
func psql(ctx context.Context, instance corev1.Pod, database, statement string) string {
	GinkgoHelper()
	out, err := rack.Run(ctx, "kubectl", "-n", instance.Namespace, "exec", instance.Name, "-c", "postgres", "--", "psql", "-qXAt", "-d", database, "-c", statement)
	Expect(err).NotTo(HaveOccurred(), out)
	return strings.TrimSpace(out)
}
