// SPDX-License-Identifier: Apache-2.0

package messagingservice

import (
	"context"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	desired "spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/kit"
)

const (
	// closingTime is how long gateways may take to see that the service is closing: the
	// kubelet brings a changed file within a minute or so.
	closingTime = 2 * time.Minute
	// deletionPace is when to count again.
	deletionPace = 10 * time.Second
)

// protect puts the finalizer on before anything exists that could hold work.
func (s *scope) protect(ctx context.Context) (time.Duration, error) {
	return 0, s.finalize(ctx, controllerutil.AddFinalizer)
}

func (s *scope) finalize(ctx context.Context, change func(client.Object, string) bool) error {
	return s.amend(ctx, func(m *api.MessagingService) { change(m, common.WorkFinalizer) })
}

// amend changes the service's own metadata.
func (s *scope) amend(ctx context.Context, change func(*api.MessagingService)) error {
	before := s.service.DeepCopy()
	if change(s.service); equality.Semantic.DeepEqual(before, s.service) {
		return nil
	}
	found := s.service.Status
	err := s.Client.Patch(ctx, s.service, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}), client.FieldOwner(kit.FieldOwner))
	// The answer holds the stored status: what this reconcile found is still to be written.
	s.before = s.service.DeepCopy()
	s.service.Status = found
	return client.IgnoreNotFound(err)
}

// release lets a deleted service go once no acknowledged work goes with it: nothing is
// unsettled, new messages are refused, and, after every gateway knows that, still nothing
// is unsettled. Not knowing keeps it. A reason in the annotation lets it go at once.
func (s *scope) release(ctx context.Context) (time.Duration, error) {
	if !controllerutil.ContainsFinalizer(s.service, common.WorkFinalizer) {
		return 0, nil
	}
	if reason := strings.TrimSpace(s.service.Annotations[common.ForceDeleteAnnotation]); reason != "" {
		s.Events.Publish(deletionForced(s.service, reason))
		return 0, s.finalize(ctx, controllerutil.RemoveFinalizer)
	}
	if s.gatewayChild != nil && s.gatewayChild.Live == nil && s.service.Status.Gateway.CurrentImage == "" {
		return 0, s.finalize(ctx, controllerutil.RemoveFinalizer) // nobody ever acknowledged anything
	}
	status, err := s.ask(ctx)
	if err != nil {
		return deletionPace, kit.Stalled(common.ReasonStateUnknown,
			"the deletion waits: acknowledged work cannot be counted (%v); repair the service, or annotate it %s=<reason> to lose what it holds", err, common.ForceDeleteAnnotation)
	}
	closed, err := s.close(ctx, status.Unsettled == 0)
	if err != nil {
		return deletionPace, err
	}
	if status.Unsettled > 0 {
		s.Events.Publish(deletionBlocked(s.service, status.Unsettled))
		return deletionPace, kit.Stalled(common.ReasonUnprocessedWork,
			"the deletion waits: %d acknowledged messages are not settled; let their receivers collect them, or annotate the service %s=<reason> to lose them", status.Unsettled, common.ForceDeleteAnnotation)
	}
	if s.now.Sub(closed) < closingTime {
		return deletionPace, nil
	}
	return 0, s.finalize(ctx, controllerutil.RemoveFinalizer)
}

// close has the gateways refuse new messages, or accept them again while some still have
// to be delivered. It returns since when the files say so.
func (s *scope) close(ctx context.Context, closing bool) (time.Time, error) {
	config, err := desired.GatewayFiles(s.service, closing)
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
