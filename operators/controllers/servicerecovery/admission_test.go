// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package servicerecovery

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

var someDigest = "sha256:" + strings.Repeat("a", 64)

// newRecovery is an operation of alice's that the API server takes.
func newRecovery(name string, options ...func(*api.ServiceRecovery)) *api.ServiceRecovery {
	o := &api.ServiceRecovery{
		ObjectMeta: metav1.ObjectMeta{Namespace: "spine-messaging", Name: name},
		Spec: api.ServiceRecoverySpec{
			OperationSpec: api.OperationSpec{RequestedBy: "alice", Reason: "incident 4711"},
			Action:        api.ActionRebuildBroker,
			Service:       &api.ServiceRef{Kind: "MessagingService", Name: "spine"},
		},
	}
	for _, f := range options {
		f(o)
	}
	return o
}

// consent is bob's approval of it.
func consent(o *api.ServiceRecovery, digest string, options ...func(*api.Approval)) *api.Approval {
	a := &api.Approval{
		ObjectMeta: metav1.ObjectMeta{Namespace: o.Namespace, Name: o.Name + "-by-bob"},
		Spec: api.ApprovalSpec{
			Operation: api.OperationRef{Kind: Kind, Name: o.Name}, PlanDigest: digest,
			Approver: "bob", Requester: o.Spec.RequestedBy, ExpiresAt: metav1.NewTime(time.Now().Add(time.Hour)),
		},
	}
	for _, f := range options {
		f(a)
	}
	return a
}

type option = func(*api.ServiceRecovery)

var _ = Describe("Admission of a ServiceRecovery", func() {
	DescribeTable("refuses at its creation", func(ctx SpecContext, user, message string, spoil option) {
		Expect(as(user).Create(ctx, newRecovery("refused", spoil))).To(MatchError(ContainSubstring(message)))
	},
		Entry("another's name", "mallory", "spec.requestedBy is alice: expected mallory", func(*api.ServiceRecovery) {}),
		Entry("what the manager does not ask for", ManagerUser, "expected FenceHost or ReturnHost", func(o *api.ServiceRecovery) { o.Spec.RequestedBy = ManagerUser }),
		Entry("a host's action beside a service", "alice", "expected spine-system for an action on a host", func(o *api.ServiceRecovery) {
			o.Spec.Action, o.Spec.Service, o.Spec.Host = api.ActionDrainHost, nil, "b"
		}),
		Entry("a service's action in spine-system", "alice", "the namespace of its service for any other", func(o *api.ServiceRecovery) { o.Namespace = "spine-system" }),
		Entry("a real run without digest", "alice", "planDigest is required with dryRun false", func(o *api.ServiceRecovery) { o.Spec.DryRun = ptr.To(false) }),
		Entry("a digest of nothing", "alice", "spec.planDigest", func(o *api.ServiceRecovery) { o.Spec.PlanDigest = "sha256:1" }),
		Entry("no reason", "alice", "spec.reason", func(o *api.ServiceRecovery) { o.Spec.Reason = "" }),
		Entry("no action", "alice", "spec.action", func(o *api.ServiceRecovery) { o.Spec.Action = "Reboot" }),
		Entry("a broker of booking", "alice", "a BookingService has no broker", func(o *api.ServiceRecovery) { o.Spec.Service.Kind = "BookingService" }),
		Entry("a host and a service", "alice", "host is required for DrainHost", func(o *api.ServiceRecovery) { o.Spec.Host = "b" }),
		Entry("a restart of nothing", "alice", "part is required for RestartRolling", func(o *api.ServiceRecovery) { o.Spec.Action = api.ActionRestartRolling }),
		Entry("an unknown loss where nothing is lost", "alice", "acceptUnknownLoss is for ResyncStandby", func(o *api.ServiceRecovery) {
			o.Spec.AcceptUnknownLoss = &api.AcceptUnknownLoss{Reason: "the duty manager agreed"}
		}),
		Entry("an unknown loss without reason", "alice", "spec.acceptUnknownLoss.reason", func(o *api.ServiceRecovery) {
			o.Spec.Action, o.Spec.AcceptUnknownLoss = api.ActionResyncStandby, &api.AcceptUnknownLoss{}
		}),
		Entry("a broken glass without reason", "alice", "spec.breakGlass.reason", func(o *api.ServiceRecovery) { o.Spec.BreakGlass = &api.BreakGlass{} }),
	)

	It("takes what is said as a dry run", func(ctx SpecContext) {
		o := newRecovery("dry")
		Expect(as("alice").Create(ctx, o)).To(Succeed())
		Expect(o.Spec.DryRun).To(HaveValue(BeTrue()))
	})

	It("lets the manager ask for a host's fencing as itself", func(ctx SpecContext) {
		o := newRecovery("fence", func(o *api.ServiceRecovery) {
			o.Namespace, o.Spec.Action, o.Spec.Service, o.Spec.Host, o.Spec.RequestedBy = "spine-system", api.ActionFenceHost, nil, "b", ManagerUser
		})
		Expect(as(ManagerUser).Create(ctx, o)).To(Succeed())
	})

	DescribeTable("refuses changes", func(ctx SpecContext, user, message string, before, change option) {
		o := newRecovery("changed-" + strings.ToLower(user) + "-" + string(uuid.NewUUID()))
		before(o)
		Expect(as("alice").Create(ctx, o)).To(Succeed())
		patch := client.MergeFrom(o.DeepCopy())
		change(o)
		Expect(as(user).Patch(ctx, o, patch)).To(MatchError(ContainSubstring(message)))
	},
		Entry("a real run that another starts", "bob", "expected to be changed by alice", asDryRun, asRealRun),
		Entry("a digest that another gives", "bob", "expected to be changed by alice", asDryRun, func(o *api.ServiceRecovery) { o.Spec.PlanDigest = someDigest }),
		Entry("a glass that another breaks", "bob", "expected to be changed by alice", asDryRun, glass),
		Entry("who asked", "alice", "requestedBy cannot change", asDryRun, func(o *api.ServiceRecovery) { o.Spec.RequestedBy = "bob" }),
		Entry("why", "alice", "reason cannot change", asDryRun, func(o *api.ServiceRecovery) { o.Spec.Reason = "another incident" }),
		Entry("what it does", "alice", "what an operation does cannot change", asDryRun, func(o *api.ServiceRecovery) { o.Spec.Service.Name = "other" }),
		Entry("a dry run after a real one", "alice", "cannot become a dry run", asRealRun, asDryRun),
		Entry("another digest while it runs", "alice", "planDigest cannot change", asRealRun, func(o *api.ServiceRecovery) {
			o.Spec.PlanDigest = "sha256:" + strings.Repeat("b", 64)
		}),
		Entry("no more abort", "alice", "abort cannot be taken back", func(o *api.ServiceRecovery) { o.Spec.Abort = true }, func(o *api.ServiceRecovery) { o.Spec.Abort = false }),
	)

	It("lets anybody abort who may ask", func(ctx SpecContext) {
		o := newRecovery("aborted-by-bob", asRealRun)
		Expect(as("alice").Create(ctx, o)).To(Succeed())
		patch := client.MergeFrom(o.DeepCopy())
		o.Spec.Abort = true
		Expect(as("bob").Patch(ctx, o, patch)).To(Succeed())
	})

	It("keeps what is half done from being deleted", func(ctx SpecContext) {
		o := newRecovery("half-done", asRealRun)
		Expect(cluster.Client.Create(ctx, newRecovery("half-done", asRealRun))).To(MatchError(ContainSubstring("spec.requestedBy is alice")))
		Expect(as("alice").Create(ctx, o)).To(Succeed())
		o.Status.Phase = api.PhaseRunning
		Expect(cluster.Client.Status().Update(ctx, o)).To(Succeed())
		Expect(cluster.Client.Delete(ctx, o)).To(MatchError(ContainSubstring("ServiceRecovery half-done is Running: set spec.abort to true")))
		patch := client.MergeFrom(o.DeepCopy())
		o.Annotations = map[string]string{"spine.nhs.uk/force-delete-reason": "the manager is gone"}
		Expect(cluster.Client.Patch(ctx, o, patch)).To(Succeed())
		Expect(cluster.Client.Delete(ctx, o)).To(Succeed())
	})
})

var _ = Describe("Admission of an Approval", func() {
	o := newRecovery("approvable")
	DescribeTable("refuses", func(ctx SpecContext, user, message string, spoil func(*api.Approval)) {
		Expect(as(user).Create(ctx, consent(o, someDigest, spoil))).To(MatchError(ContainSubstring(message)))
	},
		Entry("another's name", "mallory", "spec.approver is bob: expected mallory", func(*api.Approval) {}),
		Entry("one's own operation", "alice", "approved by another person than its requester", func(a *api.Approval) { a.Spec.Approver = "alice" }),
		Entry("more than a day", "bob", "expected at most 24 hours from now", func(a *api.Approval) { a.Spec.ExpiresAt = metav1.NewTime(time.Now().Add(25 * time.Hour)) }),
		Entry("the past", "bob", "expected a time in the future", func(a *api.Approval) { a.Spec.ExpiresAt = metav1.NewTime(time.Now().Add(-time.Minute)) }),
		Entry("the past, with a time of creation of its own", "bob", "expected a time in the future", func(a *api.Approval) {
			a.CreationTimestamp = metav1.NewTime(time.Now().Add(-time.Hour))
			a.Spec.ExpiresAt = metav1.NewTime(time.Now().Add(-time.Minute))
		}),
		Entry("no digest", "bob", "spec.planDigest", func(a *api.Approval) { a.Spec.PlanDigest = "" }),
	)

	It("takes it once, for good", func(ctx SpecContext) {
		a := consent(o, someDigest)
		Expect(as("bob").Create(ctx, a)).To(Succeed())
		patch := client.MergeFrom(a.DeepCopy())
		a.Spec.ExpiresAt = metav1.NewTime(time.Now().Add(2 * time.Hour))
		Expect(cluster.Client.Patch(ctx, a, patch)).To(MatchError(ContainSubstring("an approval cannot change")))
		Expect(as("bob").Patch(ctx, a, patch)).To(MatchError(ContainSubstring("cannot patch resource")))
	})
})

var _ = Describe("The roles for people", func() {
	It("let a responder touch neither pods nor secrets nor what was recorded", func(ctx SpecContext) {
		c := as("alice")
		for _, o := range []client.Object{&corev1.Pod{}, &corev1.Secret{}} {
			o.SetNamespace("spine-messaging")
			o.SetName("any")
			Expect(c.Get(ctx, client.ObjectKeyFromObject(o), o)).To(MatchError(ContainSubstring("forbidden")))
			Expect(c.Delete(ctx, o)).To(MatchError(ContainSubstring("forbidden")))
		}
		o := newRecovery("recorded")
		Expect(c.Create(ctx, o)).To(Succeed())
		o.Status.Phase = api.PhaseSucceeded
		Expect(c.Status().Update(ctx, o)).To(MatchError(ContainSubstring("forbidden")))
		Expect(c.Delete(ctx, o)).To(MatchError(ContainSubstring("forbidden")))
	})

	It("let an auditor read everything but secrets, and change nothing", func(ctx SpecContext) {
		c := inGroup("carol", auditors)
		for _, list := range []client.ObjectList{&corev1.PodList{}, &corev1.NodeList{}, &corev1.ConfigMapList{}, &api.ServiceRecoveryList{}, &api.ApprovalList{}} {
			Expect(c.List(ctx, list)).To(Succeed())
		}
		Expect(c.List(ctx, &corev1.SecretList{})).To(MatchError(ContainSubstring("forbidden")))
		Expect(c.Create(ctx, newRecovery("by-carol", func(o *api.ServiceRecovery) { o.Spec.RequestedBy = "carol" }))).To(MatchError(ContainSubstring("forbidden")))
	})
})

func asDryRun(o *api.ServiceRecovery) { o.Spec.DryRun = ptr.To(true) }
func asRealRun(o *api.ServiceRecovery) {
	o.Spec.DryRun, o.Spec.PlanDigest = ptr.To(false), someDigest
}
func glass(o *api.ServiceRecovery) {
	o.Spec.BreakGlass = &api.BreakGlass{Reason: "nobody else is awake"}
}
