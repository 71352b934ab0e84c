// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package servicerecovery

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/kit/lease"
	"spine.nhs.uk/controlplane/operators/kit/operation"
	"spine.nhs.uk/controlplane/operators/operatortest"
)

// rig is one operation under managers that are driven by hand.
type rig struct {
	ctx    context.Context
	works  *works
	clock  *clocktesting.FakeClock
	events *record.FakeRecorder
	policy api.OperationsConfig
	key    client.ObjectKey
}

func newRig(ctx context.Context, name string, options ...option) *rig {
	GinkgoHelper()
	o := newRecovery(name, options...)
	o.Spec.Service.Name = name // each has a service of its own, and does not wait for others
	forget(ctx, lease.Site)
	Expect(as("alice").Create(ctx, o)).To(Succeed())
	r := &rig{ctx: ctx, works: &works{did: map[string]int{}, image: "rabbitmq:4.0-1"}, clock: clocktesting.NewFakeClock(time.Now()),
		events: record.NewFakeRecorder(500), key: client.ObjectKeyFromObject(o)}
	r.policy.Approval.Actions = []api.Action{api.ActionRebuildBroker}
	r.policy.Default()
	return r
}

// manager of which the killer may make an end.
func (r *rig) manager(k *killer) *Reconciler {
	c := mortal{manager, k}
	return &Reconciler{
		Client: c, Reader: c, Events: kit.NewEvents(r.events, r.clock.Now), Clock: r.clock, Policy: r.policy,
		Actions: map[api.Action]Constructor{api.ActionRebuildBroker: func(_ *Reconciler, o *api.ServiceRecovery) operation.Action {
			return counted{r.works, k, o}
		}},
	}
}

// run lets a manager work until it has nothing to do or was killed, which it returns.
func (r *rig) run(k *killer) (killed bool) {
	GinkgoHelper()
	m := r.manager(k)
	ended := make(chan error, 1)
	go func() {
		err := context.Canceled // stays when the goroutine is killed
		defer func() { ended <- err }()
		for range 20 {
			result, wrong := m.Reconcile(r.ctx, reconcile.Request{NamespacedName: r.key})
			r.clock.Step(result.RequeueAfter)
			if err = wrong; err != nil || result.RequeueAfter == 0 {
				return
			}
			err = context.Canceled
		}
		err = nil
	}()
	err := <-ended
	if err == context.Canceled {
		return true
	}
	Expect(err).NotTo(HaveOccurred())
	return false
}

func (r *rig) look() api.OperationStatus {
	GinkgoHelper()
	Expect(r.run(&killer{})).To(BeFalse())
	return r.get().Status
}

func (r *rig) get() *api.ServiceRecovery {
	GinkgoHelper()
	o := &api.ServiceRecovery{}
	Expect(cluster.Client.Get(r.ctx, r.key, o)).To(Succeed())
	return o
}

func (r *rig) change(user string, f option) {
	GinkgoHelper()
	o := r.get()
	patch := client.MergeFrom(o.DeepCopy())
	f(o)
	Expect(as(user).Patch(r.ctx, o, patch)).To(Succeed())
}

// really runs the plan that was made.
func (r *rig) really(options ...option) {
	GinkgoHelper()
	r.change("alice", func(o *api.ServiceRecovery) {
		o.Spec.DryRun, o.Spec.PlanDigest = ptr.To(false), o.Status.Plan.Digest
		for _, f := range options {
			f(o)
		}
	})
}

func (r *rig) consent(options ...func(*api.Approval)) {
	GinkgoHelper()
	o := r.get()
	Expect(as("bob").Create(r.ctx, consent(o, o.Status.Plan.Digest, options...))).To(Succeed())
}

// free expects that nothing is held any more.
func (r *rig) free() {
	GinkgoHelper()
	for _, key := range []client.ObjectKey{lease.Key("service-"+r.key.Name, r.key.Namespace), lease.Key(lease.Site, "")} {
		var l coordinationv1.Lease
		Expect(cluster.Client.Get(r.ctx, key, &l)).To(Succeed())
		Expect(l.Spec.HolderIdentity).To(BeNil(), key.Name)
	}
	Expect(r.get().Status.Leases).To(BeEmpty())
}

func reason(s api.OperationStatus) string {
	if len(s.Blockers) == 0 {
		return ""
	}
	return s.Blockers[0].Reason
}

var _ = Describe("An operation", func() {
	It("is planned, approved, carried out and proven", func(ctx SpecContext) {
		r := newRig(ctx, "whole")
		s := r.look()
		Expect(s.Phase).To(Equal(api.PhasePlanned), s.Message)
		Expect(s.ObservedGeneration).To(Equal(r.get().Generation))
		Expect(s.Plan.NeedsApproval).To(BeTrue())
		Expect(r.works.did).To(BeEmpty())

		r.really()
		s = r.look()
		Expect(s.Phase).To(Equal(api.PhaseAwaitingApproval))
		Expect(reason(s)).To(Equal(api.ReasonApprovalMissing))
		Expect(r.works.did).To(BeEmpty())

		r.consent()
		s = r.look()
		Expect(s.Phase).To(Equal(api.PhaseSucceeded), s.Message)
		Expect(s.Approval).To(Equal("whole-by-bob by bob"))
		Expect(r.works.did).To(Equal(map[string]int{"stop": 1, "delete": 1, "start": 1}))
		Expect(s.Evidence.Notes).To(Equal([]string{"nothing was lost"}))
		Expect(s.Evidence.RecoverySeconds).NotTo(BeNil())
		Expect(s.Steps[1].Memo).To(Equal(fmt.Sprintf("token %d", s.FencingToken)))
		r.free()
	})

	It("survives being killed at any point, and acts no more than it may", func(ctx SpecContext) {
		points := 0
		for at := 1; ; at++ {
			r := newRig(ctx, fmt.Sprintf("killed-%d", at))
			r.policy.Approval.Actions = []api.Action{}
			k := &killer{at: at}
			killed := r.run(k)
			Expect(r.look().Phase).To(Equal(api.PhasePlanned))
			r.really()
			if !killed {
				killed = r.run(k)
			}
			s := r.look()
			by := fmt.Sprintf("killed at point %d: %s", at, s.Message)
			Expect(s.Phase).To(Equal(api.PhaseSucceeded), by)
			Expect(r.works.did["delete"]).To(Equal(1), by)
			Expect(r.works.did["stop"]+r.works.did["start"]).To(BeNumerically("<=", 3), by)
			Expect(s.Evidence.Notes).To(HaveLen(1), by)
			r.free()
			if !killed {
				points = at - 1
				break
			}
		}
		Expect(points).To(BeNumerically(">", 40))
		AddReportEntry("points", points)
	})

	DescribeTable("is refused, and nothing is changed", func(ctx SpecContext, want string, spoil func(*rig)) {
		r := newRig(ctx, "refused-"+string(uuid.NewUUID()))
		Expect(r.look().Phase).To(Equal(api.PhasePlanned))
		spoil(r)
		s := r.look()
		Expect(reason(s)).To(Equal(want), s.Message)
		Expect(s.Phase).To(BeElementOf(api.PhaseBlocked, api.PhaseAwaitingApproval))
		Expect(r.works.did).To(BeEmpty())
		Expect(s.StartedAt).To(BeNil())
	},
		Entry("when the plan changed", api.ReasonPlanChanged, func(r *rig) {
			r.really()
			r.consent()
			r.works.image = "rabbitmq:4.1-1"
		}),
		Entry("when quorum is at risk", api.ReasonQuorumAtRisk, func(r *rig) {
			r.really(glass)
			r.consent()
			r.works.blockers = []api.Blocker{{Reason: api.ReasonQuorumAtRisk, Message: "a member is missing"}}
		}),
		Entry("when the approval has run out", api.ReasonApprovalExpired, func(r *rig) {
			r.consent()
			r.clock.Step(2 * time.Hour)
			r.really()
		}),
		Entry("when the approval is of another plan", api.ReasonApprovalMissing, func(r *rig) {
			r.consent(func(a *api.Approval) { a.Spec.PlanDigest = someDigest })
			r.really()
		}),
		Entry("when it is approved by who asked, who says that another did", api.ReasonApprovalMissing, func(r *rig) {
			o := r.get()
			own := consent(o, o.Status.Plan.Digest, func(a *api.Approval) { a.Spec.Approver, a.Spec.Requester = "alice", "bob" })
			Expect(as("alice").Create(r.ctx, own)).To(Succeed())
			r.really()
		}),
		Entry("when the window is closed", api.ReasonWindowClosed, func(r *rig) {
			day := r.clock.Now().Add(72 * time.Hour).UTC()
			r.policy.ChangeWindow = []common.Window{{Days: []string{day.Weekday().String()}, From: "02:00", To: "04:00", TimeZone: "UTC"}}
			r.consent()
			r.really()
		}),
		Entry("when another has the lease", api.ReasonOtherOperation, func(r *rig) {
			other := newRecovery("other-" + string(uuid.NewUUID()))
			Expect(as("alice").Create(r.ctx, other)).To(Succeed())
			hold(r, lease.Holder{Kind: Kind, Namespace: other.Namespace, Name: other.Name, UID: other.UID})
		}),
		Entry("when nobody knows who has the lease", api.ReasonStateUnknown, func(r *rig) {
			hold(r, lease.Holder{Kind: "somebody"})
		}),
	)

	It("goes on by break-glass, and everybody hears of it", func(ctx SpecContext) {
		r := newRig(ctx, "glass")
		r.look()
		r.really(glass)
		s := r.look()
		Expect(s.Phase).To(Equal(api.PhaseSucceeded), s.Message)
		Expect(s.Evidence.Notes[0]).To(Equal("break glass: went on without ApprovalMissing: nobody else is awake"))
		Expect(<-r.events.Events).To(HavePrefix("Warning BreakGlass RebuildBroker by alice break glass"))
	})

	DescribeTable("is aborted until the point of no return", func(ctx SpecContext, during string, phase api.Phase, did int) {
		r := newRig(ctx, "aborted-during-"+during)
		r.look()
		r.works.during = func(step string) {
			if step == during && !r.get().Spec.Abort {
				r.change("bob", func(o *api.ServiceRecovery) { o.Spec.Abort = true })
			}
		}
		r.consent()
		r.really()
		s := r.look()
		Expect(s.Phase).To(Equal(phase), s.Message)
		Expect(r.works.did).To(HaveLen(did))
		Expect(r.works.did[during]).To(Equal(1), "the abort must not have it done again")
		r.free()
	},
		Entry("before it", "stop", api.PhaseAborted, 1),
		Entry("after it", "delete", api.PhaseSucceeded, 3),
	)

	It("is left alone when the lease was taken away, and others go on", func(ctx SpecContext) {
		r := newRig(ctx, "robbed")
		r.look()
		key := lease.Key("service-robbed", r.key.Namespace)
		r.works.during = func(step string) {
			var l coordinationv1.Lease
			Expect(cluster.Client.Get(ctx, key, &l)).To(Succeed())
			l.Spec.HolderIdentity = nil
			Expect(cluster.Client.Update(ctx, &l)).To(Succeed())
		}
		r.consent()
		r.really()
		s := r.look()
		Expect(s.Phase).To(Equal(api.PhaseFailed))
		Expect(reason(s)).To(Equal(api.ReasonStepFailed))
		Expect(s.Message).To(ContainSubstring("held by nobody"))
		Expect(r.works.did).To(Equal(map[string]int{"stop": 1}))
	})

	It("rests after another, with a greater token", func(ctx SpecContext) {
		r := newRig(ctx, "first")
		r.policy.Approval.Actions, r.policy.CoolDown.Duration = []api.Action{}, time.Hour
		r.look()
		r.really()
		first := r.look()
		second := newRecovery("second")
		second.Spec.Service.Name = "first"
		Expect(as("alice").Create(ctx, second)).To(Succeed())
		r.key = client.ObjectKeyFromObject(second)
		s := r.look()
		Expect(s.Phase).To(Equal(api.PhasePlanned), "the plan can be read meanwhile")
		Expect(s.Message).To(ContainSubstring("as its target rests from another operation until then"))
		r.really()
		Expect(reason(r.look())).To(Equal(api.ReasonCoolingDown))
		r.clock.Step(59 * time.Minute)
		s = r.look()
		Expect(s.Phase).To(Equal(api.PhaseSucceeded), s.Message)
		Expect(s.FencingToken).To(BeNumerically(">", first.FencingToken))
	})
})

// hold takes the lease of the rig's service for somebody.
func hold(r *rig, who lease.Holder) {
	GinkgoHelper()
	_, refusal, err := lease.New(manager).Acquire(r.ctx, lease.Claim{
		Keys: []client.ObjectKey{lease.Key("service-"+r.key.Name, r.key.Namespace)}, Me: who, Now: r.clock.Now(),
	})
	Expect(err).NotTo(HaveOccurred())
	Expect(refusal).To(BeNil())
	r.really()
}

var _ = Describe("A second manager", func() {
	DescribeTable("finishes what the first was killed in", func(ctx SpecContext, step string) {
		r := newRig(ctx, "two-managers-"+step)
		r.policy.Approval.Actions = []api.Action{}
		r.look()
		r.really()
		first, kill := context.WithCancel(ctx)
		r.works.during = func(name string) {
			if name == step && r.works.count(name) == 1 {
				kill()
				<-first.Done()
			}
		}
		r.start(first)
		Eventually(func() int { return r.works.count(step) }, 20*time.Second, 50*time.Millisecond).Should(Equal(1))
		Expect(r.get().Status.Phase).To(Equal(api.PhaseRunning))
		second, stop := context.WithCancel(ctx)
		defer stop()
		r.start(second)
		Eventually(func() api.Phase { return r.get().Status.Phase }, 20*time.Second, 50*time.Millisecond).Should(Equal(api.PhaseSucceeded))
		Expect(r.works.count("delete")).To(Equal(1))
		Eventually(func() []string { return r.get().Status.Leases }, 20*time.Second, 50*time.Millisecond).Should(BeEmpty())
	}, Entry(nil, "stop"), Entry(nil, "delete"), Entry(nil, "start"))
})

// start runs a real manager, with a cache and a queue, until the context ends.
func (r *rig) start(ctx context.Context) {
	GinkgoHelper()
	m, err := ctrl.NewManager(cluster.ManagerConfig(), ctrl.Options{
		Scheme: operatortest.Scheme(), Metrics: metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: ptr.To(true)},
		Cache:      cache.Options{DefaultNamespaces: map[string]cache.Config{r.key.Namespace: {}}},
		Client:     client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&coordinationv1.Lease{}, &api.ServiceRecovery{}}}},
	})
	Expect(err).NotTo(HaveOccurred())
	c := r.manager(&killer{})
	c.Client, c.Reader, c.Clock = m.GetClient(), m.GetAPIReader(), clock.RealClock{}
	Expect(c.SetupWithManager(m)).To(Succeed())
	go func() {
		defer GinkgoRecover()
		Expect(m.Start(ctx)).To(Succeed())
	}()
}
