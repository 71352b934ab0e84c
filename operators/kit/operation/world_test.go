// SPDX-License-Identifier: Apache-2.0

package operation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit/lease"
)

const namespace = "spine-messaging"

// crash is what the operator ends with in the middle of anything.
type crash struct{}

// record is one operation as the API server keeps it.
type record struct {
	name    string
	action  api.Action
	service string
	created time.Time
	version int
	spec    api.OperationSpec
	status  api.OperationStatus
	// due is when the operator looks at it next; zero: not before it changes.
	due time.Time
}

// world is an API server, a site and its people, under a clock that is stepped by hand.
// Everything random in it comes from its seed.
type world struct {
	now       time.Time
	random    *rand.Rand
	names     []string
	records   map[string]*record
	approvals []api.Approval
	leases    map[types.NamespacedName]*coordinationv1.Lease
	// ripped are operations whose lease somebody took away.
	ripped map[string]bool
	site   *site
	policy api.OperationsConfig
	// troubled makes ports fail and the operator crash at random.
	troubled bool
	// crashAt counts calls of ports down to a crash; 0: none is planned.
	crashAt int
	// killBefore and killAfter name a step within whose act the operator is killed, once.
	killBefore, killAfter string
	news                  []News
	// wrong are the invariants that were broken.
	wrong []string
	rules rules
	// forgetful makes the store forget that a step began, blind that others wrote meanwhile;
	// hot makes leases forget that they cool down.
	forgetful, blind, hot bool
	// trace is what a person may read afterwards.
	trace strings.Builder
}

func newWorld(seed uint64) *world {
	w := &world{
		now: time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC), random: rand.New(rand.NewPCG(seed, 4)),
		records: map[string]*record{}, leases: map[types.NamespacedName]*coordinationv1.Lease{},
		ripped: map[string]bool{}, rules: soundRules(),
	}
	w.site = newSite(w)
	w.policy.Approval.Actions = []api.Action{api.ActionRebuildBroker}
	w.policy.Default()
	return w
}

func (w *world) chance(percent int) bool { return w.random.IntN(100) < percent }

func (w *world) violate(format string, args ...any) {
	w.wrong = append(w.wrong, w.now.Format("15:04:05 ")+fmt.Sprintf(format, args...))
}

func (w *world) say(format string, args ...any) {
	fmt.Fprintf(&w.trace, w.now.Format("15:04:05 ")+format+"\n", args...)
}

// ask makes an operation, as a dry run.
func (w *world) ask(name string, action api.Action, service, by string) *record {
	r := &record{name: name, action: action, service: service, created: w.now, version: 1, due: w.now,
		spec: api.OperationSpec{RequestedBy: by, Reason: "incident 4711", DryRun: ptr.To(true)}}
	w.names = append(w.names, name)
	w.records[name] = r
	return r
}

// change is what a person does to an operation.
func (w *world) change(r *record, f func(*api.OperationSpec)) {
	f(&r.spec)
	r.version++
	r.due = w.now
}

// really asks for the real run of the plan that was made.
func (w *world) really(r *record) {
	w.change(r, func(s *api.OperationSpec) { s.DryRun, s.PlanDigest = ptr.To(false), r.status.Plan.Digest })
}

func (w *world) approve(r *record, by, digest string, life time.Duration) {
	w.approvals = append(w.approvals, api.Approval{
		ObjectMeta: metav1.ObjectMeta{Name: "approval-" + strconv.Itoa(len(w.approvals)), CreationTimestamp: metav1.NewTime(w.now)},
		Spec: api.ApprovalSpec{
			Operation: api.OperationRef{Kind: "ServiceRecovery", Name: r.name}, PlanDigest: digest,
			Approver: by, Requester: r.spec.RequestedBy, ExpiresAt: metav1.NewTime(w.now.Add(life)),
		},
	})
	r.due = w.now
}

// port is called by everything that the operator does to the outside, before and after.
func (w *world) port() {
	if w.crashAt > 0 {
		if w.crashAt--; w.crashAt == 0 {
			panic(crash{})
		}
	}
	if w.troubled && w.chance(2) {
		panic(crash{})
	}
}

// reconcile lets the operator look at an operation once.
func (w *world) reconcile(r *record) {
	o := &Operation{
		Holder:  lease.Holder{Kind: "ServiceRecovery", Namespace: namespace, Name: r.name, UID: types.UID("u-" + r.name)},
		Created: r.created, Action: r.action, Target: map[string]string{"service": r.service},
		Spec: r.spec.DeepCopy(), Status: r.status.DeepCopy(),
	}
	s := &memory{w, r, r.version}
	e := &Engine{
		Store: s, Leases: &lease.Leases{Client: (*leaseClient)(w), Exists: w.exists}, Policy: w.policy, Trusted: "manager",
		Approvals: func(context.Context, string) ([]api.Approval, error) { w.port(); return w.approvals, w.trouble() },
		Now:       func() time.Time { return w.now },
		Tell: func(n News) {
			w.news = append(w.news, n)
			w.say("   %s: %s", n.Reason, n.Message)
		},
		rules: w.rules,
	}
	defer func() {
		switch p := recover(); p {
		case nil:
		case crash{}:
			w.say("-- the operator is killed, and starts again")
			r.due = w.now.Add(2 * time.Second)
		default:
			panic(p)
		}
	}()
	after, err := e.Advance(context.Background(), o, &deed{w, r})
	switch {
	case err != nil:
		r.due = w.now.Add(time.Second)
	case after == 0:
		r.due = time.Time{}
	default:
		r.due = w.now.Add(after)
	}
}

func (w *world) exists(_ context.Context, h lease.Holder) (bool, error) {
	w.port()
	_, ok := w.records[h.Name]
	return ok, w.trouble()
}

// trouble is the error of an API server that is overloaded now and then.
func (w *world) trouble() error {
	if w.troubled && w.chance(3) {
		return errors.New("etcdserver: request timed out")
	}
	return nil
}

// memory is the store of one operation, read at a version.
type memory struct {
	w       *world
	r       *record
	version int
}

var resource = schema.GroupResource{Group: api.GroupVersion.Group, Resource: "servicerecoveries"}

// Save implements Store.
func (m *memory) Save(_ context.Context, o *Operation) error {
	w := m.w
	w.port()
	if err := w.trouble(); err != nil {
		return err
	}
	if w.troubled && !m.r.spec.Abort && w.random.IntN(200) == 0 {
		w.say("-- somebody aborts %s while the operator is at it", m.r.name)
		w.change(m.r, func(s *api.OperationSpec) { s.Abort = true })
	}
	stale := m.version != m.r.version || w.troubled && w.chance(3)
	if stale && !w.blind {
		return apierrors.NewConflict(resource, m.r.name, errors.New("the object has been modified"))
	}
	status := o.Status.DeepCopy()
	if w.forgetful {
		for i := range status.Steps {
			if s := &status.Steps[i]; s.State == api.StepRunning && !s.Acted {
				s.State, s.Acts = api.StepPending, 0
			}
		}
	}
	if status.Phase.Ended() && !m.r.status.Phase.Ended() && !w.ripped[m.r.name] &&
		slices.ContainsFunc(status.Steps, func(s api.StepStatus) bool { return s.Acts > 0 }) {
		w.site.ended["service-"+m.r.service] = w.now
	}
	w.tell(m.r, status)
	m.r.status = *status
	m.r.version++
	m.version = m.r.version
	w.port()
	return nil
}

// Reload implements Store.
func (m *memory) Reload(_ context.Context, o *Operation) error {
	m.w.port()
	m.r.spec.DeepCopyInto(o.Spec)
	m.r.status.DeepCopyInto(o.Status)
	m.version = m.r.version
	return m.w.trouble()
}

// tell writes what changed into the trace.
func (w *world) tell(r *record, now *api.OperationStatus) {
	if now.Phase != r.status.Phase || now.Message != r.status.Message {
		w.say("%s %s: %s", r.name, now.Phase, now.Message)
	}
	for i, s := range now.Steps {
		if i >= len(r.status.Steps) {
			continue
		}
		if s.State != r.status.Steps[i].State || s.Acts != r.status.Steps[i].Acts {
			w.say("   %s is %s, acts %d", s.Name, s.State, s.Acts)
		}
	}
	if len(r.status.Leases) > 0 && len(now.Leases) == 0 {
		w.say("   gives back %s", strings.Join(r.status.Leases, " and "))
	}
	if v := now.Evidence; v != nil && now.Phase == api.PhaseSucceeded && r.status.Phase != now.Phase {
		w.say("   evidence: %d lost of %d predicted, %d s, backlog %d before and %d after, notes %q",
			v.MeasuredLoss.Messages, v.PredictedLoss.Messages, *v.RecoverySeconds, *v.BacklogBefore, *v.BacklogAfter, v.Notes)
	}
}

// leaseClient keeps Leases as the API server does.
type leaseClient world

// Get implements lease.Client.
func (c *leaseClient) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	w := (*world)(c)
	w.port()
	if err := w.trouble(); err != nil {
		return err
	}
	l, ok := w.leases[key]
	if !ok {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "leases"}, key.Name)
	}
	l.DeepCopyInto(into.(*coordinationv1.Lease))
	return nil
}

// Create implements lease.Client.
func (c *leaseClient) Create(_ context.Context, o client.Object, _ ...client.CreateOption) error {
	return (*world)(c).put(o.(*coordinationv1.Lease), true)
}

// Update implements lease.Client.
func (c *leaseClient) Update(_ context.Context, o client.Object, _ ...client.UpdateOption) error {
	return (*world)(c).put(o.(*coordinationv1.Lease), false)
}

func (w *world) put(l *coordinationv1.Lease, create bool) error {
	w.port()
	if err := w.trouble(); err != nil {
		return err
	}
	old, ok := w.leases[client.ObjectKeyFromObject(l)]
	if ok == create || ok && old.ResourceVersion != l.ResourceVersion {
		return apierrors.NewConflict(schema.GroupResource{Resource: "leases"}, l.Name, errors.New("the object has been modified"))
	}
	version := 0
	if ok {
		version, _ = strconv.Atoi(old.ResourceVersion)
	}
	l.ResourceVersion = strconv.Itoa(version + 1)
	if w.hot {
		delete(l.Annotations, lease.CoolingAnnotation)
	}
	w.leases[client.ObjectKeyFromObject(l)] = l.DeepCopy()
	w.port()
	return nil
}
