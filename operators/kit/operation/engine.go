// SPDX-License-Identifier: Apache-2.0

package operation

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/kit/lease"
)

// Operation is what the engine knows of a resource that is one.
type Operation struct {
	// Holder is the operation's identity.
	Holder lease.Holder
	// Created is when it was asked for.
	Created time.Time
	// Generation of its specification.
	Generation int64
	// Action is what it does in one word, as the policy names it.
	Action api.Action
	// Target is what it is on: the part of its specification that goes into the plan's digest,
	// as a struct with JSON tags.
	Target any
	// Spec is what it was asked with, Status what the engine records. Reload changes what they
	// point to.
	Spec   *api.OperationSpec
	Status *api.OperationStatus

	// written is the status as it was last read or written.
	written *api.OperationStatus
}

func (o *Operation) dryRun() bool { return ptr.Deref(o.Spec.DryRun, true) }

// Store keeps operations.
type Store interface {
	// Save writes the status, unless somebody changed the operation since it was read: then it
	// returns a conflict, as apierrors.IsConflict knows it. All of the engine's safety across
	// restarts and stale reads rests on that.
	Save(ctx context.Context, o *Operation) error
	// Reload reads the operation as it is now, into what o points to.
	Reload(ctx context.Context, o *Operation) error
}

// News is something that people should hear of.
type News struct {
	// Warning is for what needs somebody's attention.
	Warning bool
	// Reason in one word, Message in a sentence.
	Reason, Message string
}

// Engine runs operations. It keeps nothing in memory between calls.
type Engine struct {
	// Store of the operation.
	Store Store
	// Leases of what operations act on.
	Leases *lease.Leases
	// Approvals lists those of a namespace, as they are now.
	Approvals func(ctx context.Context, namespace string) ([]api.Approval, error)
	// Policy of the environment.
	Policy api.OperationsConfig
	// Trusted is the manager's own user name: what it asks for needs no approval.
	Trusted string
	// Now is the time.
	Now func() time.Time
	// Tell people.
	Tell func(News)

	// rules are the judgements that it rests on.
	rules rules
}

// New returns an engine; its fields are to be set.
func New() *Engine { return &Engine{rules: soundRules()} }

const (
	// again: there is more to do at once.
	again time.Duration = -1
	// stepPace is the time between looks at a step, verifyPace between looks at the whole.
	stepPace   = time.Second
	verifyPace = 2 * time.Second
	// retryPace is the time before an act that failed is tried again.
	retryPace = 3 * time.Second
	// blockedPace is the time between plans while something blocks, peoplePace while only people
	// or the change window do.
	blockedPace = 10 * time.Second
	peoplePace  = 30 * time.Second
	// dryRunLife is how long a dry run that is blocked is planned anew.
	dryRunLife = time.Hour
	// verifyLimit is how long the whole may take to become well after the last step.
	verifyLimit = 30 * time.Minute
	// maxTransitions of one call: more than any plan has.
	maxTransitions = 1000
)

// Advance carries an operation on as far as it goes now. It returns after how long to call
// it again; zero: not before the operation or its approvals change. After an error, call it
// again with the operation as it is by then.
func (e *Engine) Advance(ctx context.Context, o *Operation, a Action) (time.Duration, error) {
	o.written = o.Status.DeepCopy()
	a = timed{a}
	for range maxTransitions {
		after, err := e.once(ctx, o, a)
		if err != nil || after != again {
			return after, err
		}
	}
	return stepPace, nil
}

// altered is said of a status that the engine cannot have written.
const altered = "its status does not fit its plan: somebody has changed it, and what was done is not known; look at what the plan touches"

// intact says that the status of an operation that runs is as the engine writes it.
func intact(s *api.OperationStatus) bool {
	if s.Plan == nil || s.StartedAt == nil || s.Evidence == nil || len(s.Steps) == 0 || len(s.Steps) != len(s.Plan.Steps) {
		return false
	}
	for i := range s.Steps {
		if s.Steps[i].Name != s.Plan.Steps[i].Name {
			return false
		}
	}
	return true
}

// once makes one transition, which ends with one write of the status.
func (e *Engine) once(ctx context.Context, o *Operation, a Action) (time.Duration, error) {
	switch phase := o.Status.Phase; {
	case phase.Ended():
		return e.release(ctx, o)
	case phase == api.PhaseRunning || phase == api.PhaseVerifying:
		if !intact(o.Status) {
			o.Status.Blockers = []api.Blocker{{Reason: api.ReasonStepUncertain, Message: altered}}
			return e.end(ctx, o, api.PhaseFailed, altered, e.Now())
		}
		return e.carryOn(ctx, o, a)
	default:
		return e.prepare(ctx, o, a)
	}
}

// save writes the status, if nobody has changed the operation since it was read.
func (e *Engine) save(ctx context.Context, o *Operation) error {
	o.Status.ObservedGeneration = o.Generation
	if err := e.Store.Save(ctx, o); err != nil {
		return err
	}
	o.written = o.Status.DeepCopy()
	return nil
}

// insist saves what has happened although somebody changed the specification meanwhile, by
// a wish to abort for example. When the status was changed too, another operator is at
// work, and its word stands.
func (e *Engine) insist(ctx context.Context, o *Operation) error {
	wanted := o.Status.DeepCopy()
	for {
		err := e.save(ctx, o)
		if !apierrors.IsConflict(err) {
			return err
		}
		if unread := e.Store.Reload(ctx, o); unread != nil {
			return errors.Join(err, unread)
		}
		if !equality.Semantic.DeepEqual(o.Status, o.written) {
			return err
		}
		wanted.DeepCopyInto(o.Status)
	}
}
