// SPDX-License-Identifier: Apache-2.0

package bookingservice

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	desired "spine.nhs.uk/controlplane/operators/desired/booking"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/kit"
)

const (
	// blockedPace is how often a deletion that waits is looked at.
	blockedPace = 15 * time.Second
	// closingTime is how long replicas may take to see that intake is closed: a kubelet
	// brings a changed file within a minute or so.
	closingTime = 2 * time.Minute
)

// hold keeps the service until it is known that no accepted work goes with it.
func (s *scope) hold(ctx context.Context) (time.Duration, error) {
	return 0, s.setFinalizer(ctx, controllerutil.AddFinalizer)
}

// release lets the service go, and its children after it: when nothing would be lost,
// when it never held anything, or when a person gave a reason. Work is counted once more
// after every replica refuses new work. Not knowing blocks.
func (s *scope) release(ctx context.Context) (time.Duration, error) {
	if !controllerutil.ContainsFinalizer(s.service, common.WorkFinalizer) {
		s.released = true
		return 0, nil
	}
	if reason := strings.TrimSpace(s.service.Annotations[common.ForceDeleteAnnotation]); reason != "" {
		s.tell(forced(s.service, reason))
		return s.letGo(ctx)
	}
	held, err := s.holdsDatabase(ctx)
	if err != nil {
		return blockedPace, s.block(common.ReasonStateUnknown, "nobody can tell whether there is a database: %v", err)
	}
	if !held {
		return s.letGo(ctx)
	}
	if err := s.recount(ctx); err != nil {
		if common.SleepPhaseOf(s.service.Status.Sleep) != common.SleepAwake {
			return blockedPace, s.block(common.ReasonAsleep, "the service is not awake, so nobody can count what its database holds")
		}
		return blockedPace, s.block(common.ReasonStateUnknown, "nobody can tell what would be lost: %v", err)
	}
	n := s.service.Status.Backlog.Unprocessed()
	closed, err := s.close(ctx, n == 0)
	if err != nil {
		return blockedPace, err
	}
	if n > 0 {
		held := s.service.Status.Backlog
		return blockedPace, s.block(common.ReasonUnprocessedWork,
			"%d would be lost: %d appointments still to come, %d open appointment-slot issues, %d events not yet sent",
			n, held.Bookings, held.OpenIssues, held.OutboxPending)
	}
	if s.now.Sub(closed) < closingTime {
		return blockedPace, nil
	}
	return s.letGo(ctx)
}

// close has the program refuse new work, or take it again where a last request came
// through. It returns since when its configuration says so.
func (s *scope) close(ctx context.Context, closing bool) (time.Time, error) {
	intake := booking.IntakeOpen
	if closing {
		intake = booking.IntakeClosed
	}
	config, err := desired.Config(s.service, intake)
	if err != nil {
		return time.Time{}, err
	}
	child, err := s.children.Look(ctx, config)
	if err != nil {
		return time.Time{}, err
	}
	if child.Differs {
		return s.now, s.children.Apply(ctx, child)
	}
	return child.ChangedAt(), nil
}

// block says why the deletion waits, and how to go on.
func (s *scope) block(reason, format string, args ...any) error {
	return kit.Stalled(reason, "the deletion waits: %s; wait until it is done, or give a reason: kubectl annotate bookingservice %s -n %s %s='...'",
		fmt.Sprintf(format, args...), s.service.Name, s.service.Namespace, common.ForceDeleteAnnotation)
}

// holdsDatabase says whether there is a database, in which alone work can be. In one that
// somebody else runs there is none before a program ran.
func (s *scope) holdsDatabase(ctx context.Context) (bool, error) {
	if s.service.Spec.Database.Elsewhere() {
		return s.service.Status.Service.CurrentImage != "", nil
	}
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(database.GVK)
	err := s.Client.Get(ctx, client.ObjectKey{Namespace: s.service.Namespace, Name: desired.DatabaseName(s.service)}, u)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

func (s *scope) letGo(ctx context.Context) (time.Duration, error) {
	if err := s.setFinalizer(ctx, controllerutil.RemoveFinalizer); err != nil {
		return 0, err
	}
	s.released = true
	return 0, nil
}

func (s *scope) setFinalizer(ctx context.Context, change func(client.Object, string) bool) error {
	return s.amend(ctx, func(b *booking.BookingService) bool { return change(b, common.WorkFinalizer) })
}

// amend changes only the service's own metadata, and only of the version that was read; change says
// whether it did. The status that was worked out so far is kept.
func (s *scope) amend(ctx context.Context, change func(*booking.BookingService) bool) error {
	next := s.before.DeepCopy()
	if !change(next) {
		return nil
	}
	patch := client.MergeFromWithOptions(s.before.DeepCopy(), client.MergeFromWithOptimisticLock{})
	if err := s.Client.Patch(ctx, next, patch, client.FieldOwner(kit.FieldOwner)); err != nil {
		return client.IgnoreNotFound(err)
	}
	s.before.ObjectMeta, s.service.ObjectMeta = *next.ObjectMeta.DeepCopy(), next.ObjectMeta
	return nil
}
