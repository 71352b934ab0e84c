// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	messaging "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	resilience "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// aSupplier is one that the load's messages do not go to.
func aSupplier(ctx context.Context) string {
	m := &messaging.MessagingService{}
	Expect(objects.Get(ctx, messagingKey, m)).To(Succeed())
	for _, s := range m.Spec.Suppliers {
		if !strings.Contains(strings.ToLower(string(s.Name)), "load") {
			return string(s.Name)
		}
	}
	Fail("no supplier besides the load's")
	return ""
}

// lostHost takes the host of the ledger's primary away and touches nothing more: within the time it has to be fenced, its
// pods and volumes released, and the services whole as far as two hosts can be; then it comes back, and is taken into
// service, without hands.
func lostHost(ctx context.Context, take func(ctx context.Context, host string), within time.Duration) {
	redundant(ctx, 3*time.Minute)
	restedSinceFence(ctx)
	run := startLoad(ctx, 10*time.Minute)
	run.flowing(ctx)
	host := primaries(ctx)[0].Spec.NodeName
	struck := time.Now()
	take(ctx, host)

	fence := automatic(ctx, resilience.ActionFenceHost, host, struck, 3*time.Minute)
	AddReportEntry("fenced", fmt.Sprintf("host %s, without hands, %s after it was lost\n%s", host, time.Since(struck).Round(time.Second), trace(fence)))
	wholeWithout(ctx, host, 3*time.Minute)
	whole := time.Since(struck)
	AddReportEntry("whole and fenced", fmt.Sprintf("%s after the loss of host %s", whole.Round(time.Second), host))
	back := automatic(ctx, resilience.ActionReturnHost, host, struck, 6*time.Minute)
	AddReportEntry("returned", fmt.Sprintf("%s after the loss\n%s", time.Since(struck).Round(time.Second), trace(back)))

	run.stop()
	result := run.finish(ctx)
	redundant(ctx, 5*time.Minute)
	AddReportEntry("load", run.summary(result))
	Expect(result.Findings).To(BeEmpty(), "promises that were broken")
	Expect(result.Messages.LongestGap.Seconds).To(BeNumerically("<", within.Seconds()), "from the last message acknowledged to the next")
	Expect(result.Bookings.LongestGap.Seconds).To(BeNumerically("<", within.Seconds()), "from the last booking acknowledged to the next")
	Expect(whole).To(BeNumerically("<", within), "from the loss to everything whole and fenced")
}

// fenceRest is how long the manager fences nothing without hands after it fenced a host.
const fenceRest = 5 * time.Minute

// restedSinceFence waits until the manager would fence a host again.
func restedSinceFence(ctx context.Context) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		list := &resilience.ServiceRecoveryList{}
		g.Expect(objects.List(ctx, list, client.InNamespace(systemNS))).To(Succeed())
		for _, o := range list.Items {
			own := o.Spec.Action == resilience.ActionFenceHost && o.Spec.RequestedBy == managerUser
			g.Expect(own && time.Since(o.CreationTimestamp.Time) < fenceRest).To(BeFalse(), "fenced just now: %s", o.Name)
		}
	}).WithContext(ctx).WithTimeout(fenceRest + time.Minute).WithPolling(5 * time.Second).Should(Succeed())
}

// wholeWithout waits until both services serve, by the manager's own probe of the whole path too, and have all replicas of
// their programs ready on other hosts than that one: databases and brokers have two members then, of three.
func wholeWithout(ctx context.Context, host string, within time.Duration) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		m, b := &messaging.MessagingService{}, &booking.BookingService{}
		g.Expect(objects.Get(ctx, messagingKey, m)).To(Succeed())
		g.Expect(objects.Get(ctx, bookingKey, b)).To(Succeed())
		for name, conditions := range map[string][]metav1.Condition{"messaging": m.Status.Conditions, "booking": b.Status.Conditions} {
			for _, kind := range []string{common.ConditionReady, common.ConditionDeepProbe} {
				c := meta.FindStatusCondition(conditions, kind)
				g.Expect(c).NotTo(BeNil(), "%s: condition %s", name, kind)
				g.Expect(c.Status).To(Equal(metav1.ConditionTrue), "%s: %s is %s: %s", name, kind, c.Reason, c.Message)
			}
		}
		programsElsewhere(ctx, g, host)
		pods := &corev1.PodList{}
		g.Expect(objects.List(ctx, pods, client.MatchingLabels{"cnpg.io/podRole": "instance"})).To(Succeed())
		for _, p := range pods.Items {
			g.Expect(p.Spec.NodeName).NotTo(Equal(host), "not released: %s", p.Name)
		}
	}).WithContext(ctx).WithTimeout(within).Should(Succeed())
}

func powerCut(ctx context.Context, host string) { Expect(rack.PowerOff(ctx, host)).To(Succeed()) }

// hung stops every process of a host, whose kernel goes on to take connections: nobody answers them.
func hung(ctx context.Context, host string) {
	_, err := rack.Run(ctx, "rack", "freeze", host, "--rack", rack.Rack)
	Expect(err).NotTo(HaveOccurred())
}

// automatic waits for an operation that nobody asked for, and for its success.
func automatic(ctx context.Context, action resilience.Action, host string, since time.Time, within time.Duration) *resilience.ServiceRecovery {
	GinkgoHelper()
	var found *resilience.ServiceRecovery
	Eventually(func(g Gomega) {
		list := &resilience.ServiceRecoveryList{}
		g.Expect(objects.List(ctx, list, client.InNamespace(systemNS))).To(Succeed())
		found = nil
		for i := range list.Items {
			o := &list.Items[i]
			if o.Spec.Action == action && o.Spec.Host == host && o.Spec.RequestedBy != responder && o.CreationTimestamp.After(since.Add(-time.Second)) {
				found = o
			}
		}
		g.Expect(found).NotTo(BeNil(), "%s of %s by the manager", action, host)
		g.Expect(found.Status.Phase).To(Equal(resilience.PhaseSucceeded), "%s %v", found.Status.Message, found.Status.Blockers)
	}).WithContext(ctx).WithTimeout(within).WithPolling(time.Second).Should(Succeed())
	return found
}

// refusals are what must not happen, each with its reason, and nothing changed.
func refusals(ctx context.Context, by, other client.Client) {
	redundant(ctx, 3*time.Minute)

	By("a requester who says to be another person")
	o := &resilience.ServiceRecovery{}
	o.Namespace, o.GenerateName = messagingKey.Namespace, "refused-"
	o.Spec.RequestedBy, o.Spec.Reason = second, "end-to-end suite: somebody else"
	o.Spec.Action, o.Spec.Service = resilience.ActionRebuildBroker, &resilience.ServiceRef{Kind: "MessagingService", Name: messagingKey.Name}
	Expect(by.Create(ctx, o)).To(MatchError(And(ContainSubstring("requestedBy"), ContainSubstring(responder))))

	By("approving one's own operation")
	o = dryRun(ctx, by, request{action: resilience.ActionRebuildBroker})
	Expect(by.Create(ctx, approval(o, responder))).To(MatchError(ContainSubstring("another person")))
	Expect(by.Create(ctx, approval(o, second))).To(MatchError(ContainSubstring("approver")))

	By("an operation without the approval that it needs")
	Expect(o.Status.Plan.NeedsApproval).To(BeTrue())
	confirm(ctx, by, o, o.Status.Plan.Digest)
	awaitPhase(ctx, by, o, time.Minute, resilience.PhaseAwaitingApproval)
	Expect(reasons(o)).To(ContainElement(resilience.ReasonApprovalMissing))
	abort(ctx, other, o)

	By("another plan than the one that was read")
	o = dryRun(ctx, by, request{action: resilience.ActionScaleOut, replicas: 3})
	confirm(ctx, by, o, "sha256:"+strings.Repeat("0", 64))
	awaitPhase(ctx, by, o, time.Minute, resilience.PhaseBlocked)
	Expect(reasons(o)).To(ContainElement(resilience.ReasonPlanChanged))
	abort(ctx, by, o)

	By("targets that are not there, and the primary")
	for reason, r := range map[string]request{
		resilience.ReasonTargetNotFound: {action: resilience.ActionDrainHost, host: "nowhere"},
		resilience.ReasonNotApplicable: {action: resilience.ActionRebuildReplica, instance: func(ctx context.Context) string {
			return primaries(ctx)[0].Name
		}},
	} {
		o := plain(ctx, by, r)
		awaitPhase(ctx, by, o, time.Minute, resilience.PhaseBlocked)
		Expect(reasons(o)).To(ContainElement(reason))
	}

	By("a second host while one is away")
	drained := dryRun(ctx, by, request{action: resilience.ActionDrainHost, host: "b"})
	carryOut(ctx, by, other, drained, recoveryFor)
	o = plain(ctx, by, request{action: resilience.ActionDrainHost, host: "c"})
	awaitPhase(ctx, by, o, time.Minute, resilience.PhaseBlocked)
	Expect(reasons(o)).To(ContainElement(resilience.ReasonQuorumAtRisk))
	node := &corev1.Node{}
	Expect(objects.Get(ctx, client.ObjectKey{Name: "c"}, node)).To(Succeed())
	Expect(node.Spec.Unschedulable).To(BeFalse())
	carryOut(ctx, by, other, dryRun(ctx, by, request{action: resilience.ActionReturnHost, host: "b"}), recoveryFor)
	redundant(ctx, 3*time.Minute)
}

// abort ends an operation that has not begun.
func abort(ctx context.Context, by client.Client, o *resilience.ServiceRecovery) {
	GinkgoHelper()
	before := o.DeepCopy()
	o.Spec.Abort = true
	Expect(by.Patch(ctx, o, client.MergeFrom(before))).To(Succeed())
	awaitPhase(ctx, by, o, time.Minute, resilience.PhaseAborted)
}

func reasons(o *resilience.ServiceRecovery) []string {
	var out []string
	for _, b := range o.Status.Blockers {
		out = append(out, b.Reason)
	}
	return out
}
