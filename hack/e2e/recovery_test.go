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
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	resilience "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

const (
	responder = "amy.responder"
	second    = "ben.responder"
	// reader is a responder who may see everything but secrets, too.
	reader   = "cat.reader"
	systemNS = "spine-system"
	// recoveryFor is how long one recovery of a site's own parts may take.
	recoveryFor = 12 * time.Minute
)

// recoveries are what an on-call responder does, under load, with the rights of a responder.
func recoveries() {
	var by, other client.Client

	It("knows its responders", Label("recovery", "stock", "sleep", "restore"), func(ctx context.Context) {
		by, other = people(ctx)
		Expect(by.List(ctx, &corev1.PodList{}, client.InNamespace(messagingKey.Namespace))).To(MatchError(ContainSubstring("forbidden")))
	})

	DescribeTable("recovers under load, while the manager is killed at each step, and proves it:", func(ctx context.Context, asked ...request) {
		redundant(ctx, 3*time.Minute)
		run := startLoad(ctx, 15*time.Minute)
		run.flowing(ctx)
		for _, a := range asked {
			o := dryRun(ctx, by, a)
			disturbed(ctx, by, other, o, recoveryFor)
			AddReportEntry(string(a.action)+" "+a.target(), trace(o))
		}
		run.stop()
		result := run.finish(ctx)
		redundant(ctx, 5*time.Minute)
		replicated(ctx)
		AddReportEntry("load", run.summary(result))
		Expect(result.Findings).To(BeEmpty(), "promises that were broken")
	},
		Entry("programs, broker and database restarted one after the other", Label("slow", "recovery"), NodeTimeout(20*time.Minute),
			request{action: resilience.ActionRestartRolling, part: resilience.PartGateway},
			request{action: resilience.ActionRestartRolling, part: resilience.PartBroker},
			request{action: resilience.ActionRestartRolling, part: resilience.PartDatabase}),
		Entry("a standby, a member of the broker and all of it rebuilt", Label("slow", "recovery"), NodeTimeout(20*time.Minute),
			request{action: resilience.ActionRebuildReplica, instance: standby},
			request{action: resilience.ActionRebuildReplica, instance: brokerLeader},
			request{action: resilience.ActionRebuildBroker}),
		Entry("the same of bookings: programs restarted, a standby rebuilt", Label("slow", "recovery"), NodeTimeout(20*time.Minute),
			request{booking: true, action: resilience.ActionRestartRolling, part: resilience.PartService},
			request{booking: true, action: resilience.ActionRebuildReplica, instance: bookingStandby}),
		Entry("a supplier stopped and released, and more gateways", Label("slow", "recovery"), NodeTimeout(15*time.Minute),
			request{action: resilience.ActionQuarantineSupplier, supplier: aSupplier},
			request{action: resilience.ActionReleaseSupplier, supplier: aSupplier},
			request{action: resilience.ActionScaleOut, replicas: 3},
			request{action: resilience.ActionScaleOut, replicas: 2}),
		Entry("a host drained and returned, and one fenced and returned", Label("slow", "recovery"), NodeTimeout(20*time.Minute),
			request{action: resilience.ActionDrainHost, host: "b"},
			request{action: resilience.ActionReturnHost, host: "b"},
			request{action: resilience.ActionFenceHost, host: "c"},
			request{action: resilience.ActionReturnHost, host: "c"}),
	)

	It("has the ledger back as it was, with everything since, while the manager is killed at each step", func(ctx context.Context) { restored(ctx, by, other) },
		Label("slow", "recovery", "restore"), NodeTimeout(45*time.Minute))

	It("has bookings back as they were, with every change since, while the manager is killed at each step", func(ctx context.Context) { restoredBookings(ctx, by, other) },
		Label("slow", "recovery", "restore"), NodeTimeout(45*time.Minute))

	It("puts dead letters back on their way", func(ctx context.Context) { deadLetters(ctx, by, other) }, Label("recovery"), NodeTimeout(8*time.Minute))

	DescribeTable("heals without hands the loss of a host", lostHost,
		Entry("that hangs", Label("slow", "recovery"), NodeTimeout(15*time.Minute), hung, 2*time.Minute),
		Entry("that lost its power", Label("slow", "recovery"), NodeTimeout(15*time.Minute), powerCut, 60*time.Second),
	)

	DescribeTable("lets no primary acknowledge beside its successor that",
		func(ctx context.Context, away func(context.Context, corev1.Node) func(context.Context)) {
			stalePrimary(ctx, by, away)
		},
		Entry("was frozen with its host, and goes on", Label("slow", "recovery"), NodeTimeout(12*time.Minute), frozen),
		Entry("was cut off with its rack, and is back", Label("slow", "recovery"), NodeTimeout(12*time.Minute), isolated),
	)

	It("replaces what a lost host held sooner than Kubernetes by itself", func(ctx context.Context) { besideStock(ctx, by) }, Label("slow", "stock"), NodeTimeout(30*time.Minute))

	It("refuses what is not safe or not agreed", func(ctx context.Context) { refusals(ctx, by, other) }, Label("slow", "recovery"), NodeTimeout(5*time.Minute))

	It("is recovered by the plugin", onCall, Label("recovery"), NodeTimeout(5*time.Minute))

	It("answers whatever the runbooks tell people to type", func(ctx context.Context) { pages(ctx, by) }, Label("slow", "recovery"), NodeTimeout(10*time.Minute))

	It("lets its manager hold no right that it did not use", managersRights, Label("slow", "recovery"), NodeTimeout(2*time.Minute))
}

// request is one operation that a responder asks for.
type request struct {
	action             resilience.Action
	part               resilience.Part
	instance, supplier func(context.Context) string
	host               string
	replicas           int32
	// to is the time that a database is restored to.
	to *metav1.Time
	// accepted is why an unknown loss is.
	accepted string
	// booking: it is on the booking service rather than on messaging.
	booking bool
}

func (r request) target() string {
	return strings.TrimSpace(string(r.part) + " " + r.host)
}

// brokerLeader is the member of the broker that leads most queues.
func brokerLeader(ctx context.Context) string { return leadingBroker(ctx).Name }

// standby and bookingStandby are database instances that are not the primary.
func standby(ctx context.Context) string        { return standbyIn(ctx, messagingKey.Namespace) }
func bookingStandby(ctx context.Context) string { return standbyIn(ctx, bookingKey.Namespace) }

func standbyIn(ctx context.Context, namespace string) string {
	GinkgoHelper()
	pods := podsOf(ctx, namespace, client.MatchingLabels{"cnpg.io/instanceRole": "replica"})
	Expect(pods).NotTo(BeEmpty())
	return pods[0].Name
}

// dryRun asks for an operation and waits for its plan.
func dryRun(ctx context.Context, by client.Client, r request) *resilience.ServiceRecovery {
	GinkgoHelper()
	o := plain(ctx, by, r)
	awaitPhase(ctx, by, o, time.Minute, resilience.PhasePlanned)
	Expect(o.Status.Plan).NotTo(BeNil())
	Expect(o.Status.Steps).To(BeEmpty(), "a dry run takes no step")
	return o
}

// plain asks for a dry run, as a responder.
func plain(ctx context.Context, by client.Client, r request) *resilience.ServiceRecovery {
	GinkgoHelper()
	o := &resilience.ServiceRecovery{ObjectMeta: metav1.ObjectMeta{
		Namespace: messagingKey.Namespace, GenerateName: strings.ToLower(string(r.action)) + "-",
	}}
	o.Spec.RequestedBy, o.Spec.Reason = responder, "end-to-end suite: "+string(r.action)
	o.Spec.Action, o.Spec.Part, o.Spec.Host, o.Spec.Replicas = r.action, r.part, r.host, r.replicas
	o.Spec.RestoreTo = r.to
	if r.accepted != "" {
		o.Spec.AcceptUnknownLoss = &resilience.AcceptUnknownLoss{Reason: r.accepted}
	}
	switch {
	case r.action.OnHost():
		o.Namespace = systemNS
	case r.booking:
		o.Namespace, o.Spec.Service = bookingKey.Namespace, &resilience.ServiceRef{Kind: "BookingService", Name: bookingKey.Name}
	default:
		o.Spec.Service = &resilience.ServiceRef{Kind: "MessagingService", Name: messagingKey.Name}
	}
	if r.instance != nil {
		o.Spec.Instance = r.instance(ctx)
	}
	if r.supplier != nil {
		o.Spec.Supplier = r.supplier(ctx)
	}
	Expect(by.Create(ctx, o)).To(Succeed())
	return o
}

// carryOut agrees to the plan that the dry run made, has it approved where that is asked for, and waits for the proof.
func carryOut(ctx context.Context, by, other client.Client, o *resilience.ServiceRecovery, within time.Duration) {
	GinkgoHelper()
	digest := o.Status.Plan.Digest
	if o.Status.Plan.NeedsApproval {
		approve(ctx, other, o, second)
	}
	confirm(ctx, by, o, digest)
	awaitPhase(ctx, by, o, within, resilience.PhaseSucceeded)
	Expect(o.Status.Plan.Digest).To(Equal(digest))
	Expect(o.Status.Evidence).NotTo(BeNil())
	Expect(o.Status.Evidence.RecoverySeconds).NotTo(BeNil())
	for _, s := range o.Status.Steps {
		Expect(s.State).To(Equal(resilience.StepSucceeded), s.Name)
	}
}

// confirm turns a dry run into the real one.
func confirm(ctx context.Context, by client.Client, o *resilience.ServiceRecovery, digest string) {
	GinkgoHelper()
	before := o.DeepCopy()
	real := false
	o.Spec.DryRun, o.Spec.PlanDigest = &real, digest
	Expect(by.Patch(ctx, o, client.MergeFrom(before))).To(Succeed())
}

// people are two responders at the present site, by their names there.
func people(ctx context.Context) (by, other client.Client) {
	GinkgoHelper()
	for role, users := range map[string][]string{
		"spine-responder": {responder, second, reader}, "spine-viewer": {responder, second}, "spine-auditor": {reader},
	} {
		binding := &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "end-to-end-" + role},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		}
		for _, user := range users {
			binding.Subjects = append(binding.Subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user})
		}
		// The API server's address may be on its way to another host.
		Eventually(func() error { return client.IgnoreAlreadyExists(objects.Create(ctx, binding)) }).
			WithContext(ctx).WithTimeout(time.Minute).Should(Succeed())
	}
	var err error
	by, err = rack.ObjectsAs(responder)
	Expect(err).NotTo(HaveOccurred())
	other, err = rack.ObjectsAs(second)
	Expect(err).NotTo(HaveOccurred())
	return by, other
}

func approve(ctx context.Context, by client.Client, o *resilience.ServiceRecovery, who string) {
	GinkgoHelper()
	Expect(by.Create(ctx, approval(o, who))).To(Succeed())
}

func approval(o *resilience.ServiceRecovery, who string) *resilience.Approval {
	return &resilience.Approval{
		ObjectMeta: metav1.ObjectMeta{Namespace: o.Namespace, Name: o.Name},
		Spec: resilience.ApprovalSpec{
			Operation:  resilience.OperationRef{Kind: "ServiceRecovery", Name: o.Name},
			PlanDigest: o.Status.Plan.Digest, Approver: who, Requester: o.Spec.RequestedBy,
			ExpiresAt: metav1.NewTime(time.Now().Add(time.Hour)), Reason: "end-to-end suite",
		},
	}
}

// awaitPhase waits until the operation is in the phase; an end that is another one fails at once.
func awaitPhase(ctx context.Context, by client.Client, o *resilience.ServiceRecovery, within time.Duration, phase resilience.Phase) {
	GinkgoHelper()
	Eventually(func(g Gomega) resilience.Phase {
		g.Expect(by.Get(ctx, client.ObjectKeyFromObject(o), o)).To(Succeed())
		if now := o.Status.Phase; now.Ended() && now != phase {
			StopTrying(fmt.Sprintf("%s: %s\n%s", now, o.Status.Message, trace(o))).Now()
		}
		if o.Status.ObservedGeneration != o.Generation {
			return ""
		}
		return o.Status.Phase
	}).WithContext(ctx).WithTimeout(within).Should(Equal(phase), func() string {
		return fmt.Sprintf("%s %v\n%s", o.Status.Message, o.Status.Blockers, trace(o))
	})
}

// trace is an operation as a person reads it afterwards.
func trace(o *resilience.ServiceRecovery) string {
	var b strings.Builder
	for _, s := range o.Status.Steps {
		took := ""
		if s.StartedAt != nil && s.EndedAt != nil {
			took = s.EndedAt.Sub(s.StartedAt.Time).String()
		}
		fmt.Fprintf(&b, "%s: %s in %s, %d acts: %s\n", s.Name, s.State, took, s.Acts, s.Message)
	}
	if e := o.Status.Evidence; e != nil && e.RecoverySeconds != nil {
		fmt.Fprintf(&b, "whole after %d s; %s", *e.RecoverySeconds, strings.Join(e.Notes, "; "))
	}
	return b.String()
}
