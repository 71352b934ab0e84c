// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"encoding/csv"
	"fmt"
	"regexp"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"spine.nhs.uk/controlplane/hack/load/check"
	"spine.nhs.uk/controlplane/hack/load/fleet"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	messaging "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	resilience "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// compareFor bounds a comparison of what a site acknowledged alone.
const compareFor = 5 * time.Minute

var (
	// forgotten is how a generator ends whose users asked for referrals that only the lost site knew.
	forgotten = regexp.MustCompile(`pages were refused: /\w+: HTTP 404\n`)
	// saved is how the evidence says where the list is.
	saved = regexp.MustCompile(`kubectl (-n \S+ logs \S+) > missing\.csv`)
	// lostBooking is how the checker names one.
	lostBooking = regexp.MustCompile(`^slot \d+, UBRN (\d{12}): `)
)

// lostAlone has the link cut, so that the site that serves acknowledges alone, and then that site lost: the other one is
// told to take over all the same. When the lost one is back, it lists what it alone acknowledged, and that is what senders
// miss. Then it is made a standby anew, by whoever accepts that loss.
func lostAlone(ctx context.Context) {
	canTakeOver(ctx, "west", 10*time.Minute)
	run := startLoad(ctx, 15*time.Minute)
	run.refused = forgotten
	run.flowing(ctx)
	heal := rackFault(ctx, []string{"partition", "east", "west"}, []string{"heal"})
	at("east")
	Eventually(func(g Gomega) {
		m := &messaging.MessagingService{}
		g.Expect(objects.Get(ctx, messagingKey, m)).To(Succeed())
		for _, s := range []*common.SiteStatus{m.Status.Site, bookingService(ctx).Status.Site} {
			g.Expect(s).NotTo(BeNil())
			g.Expect(s.Acknowledge).To(Equal(common.AcknowledgeSite))
		}
	}).WithContext(ctx).WithTimeout(2 * time.Minute).Should(Succeed())
	run.flowsOn(ctx)
	powered := eastLosesPower(ctx)
	heal(ctx)

	By("having the other site take over, which does not do so by itself")
	at("west")
	var said string
	Eventually(func() (err error) {
		said, err = rack.Run(ctx, "kubectl", "spine", "failover", "Unplanned", "--yes", "--max-loss-messages", "1000000", "--max-loss-seconds", "3600",
			"--accept-unknown-loss", "the end-to-end suite accepts it", "--reason", "INC0012345: the end-to-end suite")
		return err
	}).WithContext(ctx).WithTimeout(5 * time.Minute).WithPolling(5 * time.Second).Should(Succeed())
	AddReportEntry("taken over", said)
	run.flowsOn(ctx)
	redundant(ctx, 5*time.Minute)
	run.stop()
	result := run.finish(ctx)
	AddReportEntry("load", fmt.Sprintf("%v s without an acknowledgement; %s; %v", run.gaps(), run.summary(result), result.Findings))
	for _, f := range result.Findings {
		Expect(f.Defect).NotTo(BeElementOf(check.WrongReceiver, check.WrongBody, check.Refusal, check.Alien), "%v", f.Cases)
	}
	missing := result.Of(check.Lost) + result.Of(check.NotInLedger)
	Expect(missing).To(BeNumerically(">", 0), "nothing was lost: there is nothing to list")

	By("giving the lost site its power back, and reading what it alone has")
	powered(ctx)
	eastLostVote(ctx)
	by, other := people(ctx)
	for _, booking := range []bool{false, true} {
		refused := plain(ctx, by, request{booking: booking, action: resilience.ActionResyncStandby})
		awaitPhase(ctx, by, refused, time.Minute, resilience.PhaseBlocked)
		Expect(refused.Status.Blockers).To(ConsistOf(HaveField("Reason", resilience.ReasonWorkAtRisk)))
		abort(ctx, by, refused)

		o := dryRun(ctx, by, request{booking: booking, action: resilience.ActionCompareSites})
		disturbed(ctx, by, other, o, compareFor)
		AddReportEntry(string(o.Spec.Action)+" "+o.Spec.Service.Name, trace(o))
		rows := listed(ctx, o)
		if booking {
			ubrns := map[string]bool{}
			for _, row := range rows {
				ubrns[row[0]] = true
			}
			for _, f := range result.Findings {
				if f.Defect != check.BookingLost {
					continue
				}
				for _, c := range f.Cases {
					ubrn := lostBooking.FindStringSubmatch(c)
					Expect(ubrn).To(HaveLen(2), c)
					Expect(ubrns).To(HaveKey(ubrn[1]), "a booking that was lost is not in the list: %s", c)
				}
			}
			continue
		}
		var again, not int64
		for _, row := range rows {
			switch sender := row[2]; {
			case !strings.HasPrefix(sender, fleet.Prefix): // an event of the booking service
			case row[len(row)-1] == "true":
				again++
			default:
				not++
			}
		}
		AddReportEntry("listed", fmt.Sprintf("%d messages were lost by their senders' records; %d are listed, and %d that were sent again", missing, not, again))
		// What no sender had an answer for, and did not repeat either, may be in the list besides.
		Expect(not).To(And(BeNumerically(">=", missing), BeNumerically("<=", missing+result.Counts.Ambiguous)))
	}

	By("accepting the loss")
	for _, booking := range []bool{false, true} {
		o := dryRun(ctx, by, request{booking: booking, action: resilience.ActionResyncStandby, accepted: "the end-to-end suite has the list"})
		carryOut(ctx, by, other, o, resyncFor)
	}
	canTakeOver(ctx, "east", 5*time.Minute)
}

// listed are the rows of the list that an operation has made, as its evidence says to save it.
func listed(ctx context.Context, o *resilience.ServiceRecovery) [][]string {
	GinkgoHelper()
	how := saved.FindStringSubmatch(strings.Join(o.Status.Evidence.Notes, "\n"))
	Expect(how).To(HaveLen(2), "%v", o.Status.Evidence.Notes)
	out, err := rack.Run(ctx, "kubectl", strings.Fields(how[1])...)
	Expect(err).NotTo(HaveOccurred())
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	Expect(err).NotTo(HaveOccurred())
	Expect(rows).NotTo(BeEmpty())
	return rows[1:]
}
