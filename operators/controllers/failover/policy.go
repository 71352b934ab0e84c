// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"cmp"
	"context"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	bookingapi "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	messagingapi "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	decide "spine.nhs.uk/controlplane/operators/decide/failover"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/operators/ports/deepprobe"
)

// +kubebuilder:rbac:groups=resilience.spine.nhs.uk,resources=failoverpolicies,verbs=get;list;watch,namespace=spine-system
// +kubebuilder:rbac:groups=resilience.spine.nhs.uk,resources=failoverpolicies/status,verbs=patch,namespace=spine-system
// +kubebuilder:rbac:groups=resilience.spine.nhs.uk,resources=failovers,verbs=get;list;watch;create;patch;delete,namespace=spine-system
//
// ResyncStandby's, which only one of two sites can need:
// +kubebuilder:rbac:groups=postgresql.cnpg.io,resources=clusters,verbs=delete,namespace=spine-messaging
// +kubebuilder:rbac:groups=postgresql.cnpg.io,resources=clusters,verbs=delete,namespace=spine-booking

const (
	// patience with one answer of the outside: a site that does not answer must not keep the
	// vote from being renewed.
	patience = 2 * time.Second
	// doubt is the patience of an operation with a site that did not answer the policy's last look: a step looks several
	// times, while nobody serves. The policy's looks go on with all their patience, and notice when it answers again.
	doubt = 500 * time.Millisecond
	// looks in a term: the vote is renewed long before it runs out.
	looks = 6
	// starting is how long after the vote came here programs may still be starting, and haste how often they are looked
	// for meanwhile: each of them acknowledges nothing before it has its permit.
	starting, haste = 2 * time.Minute, time.Second
)

// Policy keeps this site's FailoverPolicy: it renews the vote, gives the programs their
// permits and the services their orders, answers the other site, and sees when that is lost.
type Policy struct {
	// Client writes, Reader reads what is there now, without a cache.
	Client client.Client
	Reader client.Reader
	// Witness at the third place, and Peer, the other site.
	Witness ports.Witness
	Peer    ports.Peer
	// Traffic director that clients follow.
	Traffic ports.TrafficDirector
	// Permits of the programs, and Prober of both sites'.
	Permits ports.Permits
	Prober  ports.Prober
	// Events for people.
	Events *kit.Events
	// Clock is the time.
	Clock clock.PassiveClock

	// broken is since when the other site does not get what is written here, whole since when it has all of it; zero: it
	// does, or has not. A manager that begins anew counts anew, which only makes it wait longer.
	broken, whole time.Time
	// led is when it was last seen that clients are sent here.
	led time.Time
}

// look is one look of a policy.
type look struct {
	*Policy
	situation
	// before is the policy as it was read.
	before *api.FailoverPolicy
	// order that stands for all services.
	order common.SiteOrder
	// probed says that the other site's path was; probeFailure is empty when it works.
	probed       bool
	probeFailure string
	// site is what is decided on, course what was decided.
	site   decide.Site
	course decide.Course
	// verdict on an automatic failover, with the reason for people.
	verdict decide.Verdict
	reason  string
	// busy says that a Failover to this site is under way.
	busy bool
}

// Reconcile looks once, and again several times a term.
func (r *Policy) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	policy := &api.FailoverPolicy{}
	if err := r.Reader.Get(ctx, request.NamespacedName, policy); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	l := &look{Policy: r, situation: situation{now: r.Clock.Now(), policy: policy}, before: policy.DeepCopy()}
	pace := policy.Spec.Term.Duration / looks
	_, err := kit.RunOrdered(ctx,
		phase("services", l.services),
		phase("outside", l.outside),
		// What is remembered comes before what rests on it: a crash may come between.
		phase("course", l.steer),
		phase("orders", l.give),
		phase("automatic", l.automatic),
		phase("traffic", l.lead),
	)
	err = l.finish(ctx, err)
	switch {
	case apierrors.IsConflict(err):
		return reconcile.Result{RequeueAfter: retryPace}, nil
	case err != nil:
		r.Events.Publish(troubled(policy, err))
	}
	if l.settles() {
		pace = min(pace, haste)
	}
	// Whatever failed: the next look comes in time for the vote.
	return reconcile.Result{RequeueAfter: pace}, nil
}

// settles says that the vote has just come here, and its programs are starting.
func (l *look) settles() bool {
	s := l.policy.Status
	return s.Vote.Site == string(l.policy.Spec.Site) && l.now.Sub(at(s.MovedAt)) < starting
}

func phase(name string, run func(context.Context) error) kit.Phase {
	return kit.Phase{Name: name, Run: func(ctx context.Context) (time.Duration, error) { return 0, run(ctx) }}
}

func (l *look) services(ctx context.Context) error {
	var err error
	if l.own, err = services(ctx, l.Reader, l.policy); err != nil {
		return err
	}
	l.order = whole(l.own)
	return nil
}

// outside asks the witness and the other site at once; what does not answer is unknown.
func (l *look) outside(ctx context.Context) error {
	var wait sync.WaitGroup
	wait.Go(func() { l.vote = ask(ctx, l.Witness) })
	wait.Go(func() { l.other = visit(ctx, l.Peer, l.policy, patience) })
	for _, p := range l.own {
		if p.order.Role == common.SiteActive {
			wait.Go(func() { p.observe(ctx, l.Prober) })
		}
	}
	failures := make([]string, len(l.own))
	pace := l.policy.Spec.Term.Duration / looks
	// Failures in a row count by the pace, also when there was reason to look in between.
	if l.probed = l.guards() && l.now.Sub(at(l.policy.Status.Peer.ProbedAt)) >= pace/2; l.probed {
		for i, p := range l.own {
			wait.Go(func() { failures[i] = deepprobe.Failure(ctx, l.Prober, min(p.patience, pace), p.peer) })
		}
	}
	wait.Wait()
	for _, f := range failures {
		l.probeFailure = cmp.Or(l.probeFailure, f)
	}
	return ctx.Err()
}

// guards says that the other site serves, as far as this one knows.
func (l *look) guards() bool { return l.policy.Status.Vote.Site == string(l.policy.Spec.Peer) }

// SetupWithManager registers the controller. What others do while services move is seen at once: a failover waits for
// one after the other.
func (r *Policy) SetupWithManager(m ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(m).
		Named("failoverpolicy").
		// What the other site writes is an annotation; its own status must not make it look again.
		For(&api.FailoverPolicy{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))).
		Watches(&messagingapi.MessagingService{}, handler.EnqueueRequestsFromMapFunc(thePolicy), builder.WithPredicates(roleChanged())).
		Watches(&bookingapi.BookingService{}, handler.EnqueueRequestsFromMapFunc(thePolicy), builder.WithPredicates(roleChanged())).
		Watches(&api.Failover{}, handler.EnqueueRequestsFromMapFunc(thePolicy), builder.WithPredicates(wentOn())).
		Complete(r)
}

func thePolicy(context.Context, client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: SystemNamespace, Name: api.FailoverPolicyName}}}
}

// roleChanged passes what a service says of the role that it has brought about.
func roleChanged() predicate.Predicate {
	said := func(o client.Object) common.SiteStatus {
		var s *common.SiteStatus
		switch o := o.(type) {
		case *messagingapi.MessagingService:
			s = o.Status.Site
		case *bookingapi.BookingService:
			s = o.Status.Site
		}
		if s == nil {
			return common.SiteStatus{}
		}
		return common.SiteStatus{Role: s.Role, Epoch: s.Epoch, Acknowledge: s.Acknowledge, DemotionToken: s.DemotionToken}
	}
	return updates(func(before, after client.Object) bool { return said(before) != said(after) })
}

// wentOn passes that a Failover has a plan now, or that a step of it has ended.
func wentOn() predicate.Predicate {
	done := func(o client.Object) (phase api.Phase, n int) {
		s := o.(*api.Failover).Status
		for _, step := range s.Steps {
			if step.State == api.StepSucceeded {
				n++
			}
		}
		return s.Phase, n
	}
	return updates(func(before, after client.Object) bool {
		was, had := done(before)
		is, has := done(after)
		return was != is || had != has
	})
}

// updates passes nothing but changes of that kind.
func updates(passes func(before, after client.Object) bool) predicate.Predicate {
	none := func(client.Object) bool { return false }
	p := predicate.NewPredicateFuncs(none)
	return predicate.Funcs{
		CreateFunc: p.Create, DeleteFunc: p.Delete, GenericFunc: p.Generic,
		UpdateFunc: func(e event.UpdateEvent) bool { return passes(e.ObjectOld, e.ObjectNew) },
	}
}
