// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"context"
	"errors"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/quorum"
	"spine.nhs.uk/controlplane/operators/decide/recovery"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/desired/messaging"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/ports"
)

// look is a service as it is now, read without a cache: what decisions and steps rest on.
type look struct {
	*target
	// service is what every decision needs: members of all parts, and the backlog.
	service recovery.Service
	// cluster is the database, nil when it does not exist, and database its state.
	cluster  *unstructured.Unstructured
	database database.State
	// astray instances are ready and do not follow the primary, by its own word.
	astray []string
	// nodes are the broker's, nil when there is no broker or they are not made yet.
	nodes *appsv1.StatefulSet
	// deployment of the program; nil when it is not made yet.
	deployment *appsv1.Deployment
	// status is what the program counts; nil when nobody answered. deadLettered and stopped
	// are of a MessagingService.
	status *counts
}

// counts of either kind of service.
type counts struct {
	backlog      int64
	oldest       time.Duration
	deadLettered []ports.DeadLettered
	// standbys of the database that receive what it writes; nil when it does not say.
	standbys []string
}

// look reads a service. Nil: it does not exist. What cannot be read for another reason than
// that it is not there is an error; that nobody answers is not.
func (r *Reconciler) look(ctx context.Context, o *api.ServiceRecovery) (*look, error) {
	t, err := r.target(ctx, o)
	if t == nil || err != nil {
		return nil, err
	}
	l := &look{target: t, service: recovery.Service{
		Kind: t.ref.Kind, Namespace: t.ref.Namespace, Name: t.ref.Name, Elsewhere: t.elsewhere,
	}}
	if l.status = r.count(ctx, t); l.status != nil {
		l.service.Backlog = &l.status.backlog
	}
	err = errors.Join(l.lookDatabase(ctx, r.Reader), l.lookBroker(ctx, r.Reader), l.lookProgram(ctx, r.Reader))
	if err != nil {
		return nil, err
	}
	return l, nil
}

func (l *look) lookDatabase(ctx context.Context, c client.Reader) error {
	if l.elsewhere[recovery.Database] != "" {
		return nil
	}
	cluster, err := l.engine(ctx, c, database.GVK, l.target.database)
	if err != nil {
		return err
	}
	l.cluster, l.database = cluster, database.Observe(cluster)
	if l.status != nil {
		l.astray = database.Astray(cluster, l.status.standbys)
		l.database = l.database.Without(cluster, l.astray)
	}
	l.service.Parts = append(l.service.Parts, quorum.Part{
		Name: recovery.Database, Known: l.database.Known, Desired: l.instances, Ready: l.database.Ready,
		Changing: l.database.Known && !l.database.Settled,
	})
	return nil
}

func (l *look) lookBroker(ctx context.Context, c client.Reader) error {
	if l.broker == "" || l.elsewhere[recovery.Broker] != "" {
		return nil
	}
	cluster, err := l.engine(ctx, c, messaging.BrokerGVK, l.broker)
	if err != nil {
		return err
	}
	var set appsv1.StatefulSet
	switch err := c.Get(ctx, l.key(messaging.ServerName(l.broker)), &set); {
	case err == nil:
		l.nodes = &set
	case client.IgnoreNotFound(err) != nil:
		return err
	}
	state := messaging.ObserveBroker(cluster, l.nodes)
	l.service.Parts = append(l.service.Parts, quorum.Part{
		Name: recovery.Broker, Known: state.Known, Desired: l.target.nodes, Ready: state.Ready, Changing: state.Changing,
	})
	return nil
}

func (l *look) lookProgram(ctx context.Context, c client.Reader) error {
	part := quorum.Part{Name: l.part, Desired: l.replicas}
	var d appsv1.Deployment
	switch err := c.Get(ctx, l.key(l.program), &d); {
	case err == nil:
		l.deployment = &d
		part.Known = d.Status.ObservedGeneration == d.Generation && d.Generation > 0
		part.Ready = min(d.Status.AvailableReplicas, part.Desired)
		part.Changing = part.Known && !rolled(&d)
	case client.IgnoreNotFound(err) != nil:
		return err
	}
	l.service.Parts = append(l.service.Parts, part)
	return nil
}

// rolled says that every replica runs the newest template, long enough, and no other.
func rolled(d *appsv1.Deployment) bool {
	s := d.Status
	return s.ObservedGeneration == d.Generation && d.Spec.Replicas != nil &&
		s.UpdatedReplicas == *d.Spec.Replicas && s.Replicas == s.UpdatedReplicas && s.AvailableReplicas == s.UpdatedReplicas
}

// engine reads the resource of an engine; nil when it is not there.
func (l *look) engine(ctx context.Context, c client.Reader, gvk schema.GroupVersionKind, name string) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(gvk)
	if err := c.Get(ctx, l.key(name), u); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return u, nil
}

func (l *look) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: l.ref.Namespace, Name: name}
}

// count asks any replica. Nil: nobody answers, or not sensibly.
func (r *Reconciler) count(ctx context.Context, t *target) *counts {
	ctx, cancel := context.WithTimeout(ctx, t.patience)
	defer cancel()
	if t.broker == "" {
		var s ports.BookingStatus
		if err := r.Prober.Status(ctx, t.ops, &s); err != nil || s.OutboxPending < 0 {
			return nil
		}
		return &counts{backlog: s.OutboxPending, oldest: seconds(s.OutboxOldestSeconds), standbys: s.Standbys}
	}
	var s ports.MessagingStatus
	if err := r.Prober.Status(ctx, t.ops, &s); err != nil || s.Unsettled < 0 {
		return nil
	}
	return &counts{backlog: s.Unsettled, oldest: seconds(s.OldestUnsettledSeconds), deadLettered: s.DeadLettered, standbys: s.Standbys}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// replicasOf are the operations endpoints of the program's pods that are ready.
func (r *Reconciler) replicasOf(ctx context.Context, t *target) ([]ports.Target, error) {
	var pods corev1.PodList
	if err := r.Reader.List(ctx, &pods, client.InNamespace(t.ref.Namespace), client.MatchingLabels(t.pods)); err != nil {
		return nil, err
	}
	var out []ports.Target
	for i := range pods.Items {
		if p := &pods.Items[i]; kit.PodReady(p) && p.Status.PodIP != "" {
			out = append(out, ports.Target{Address: t.podOps(p.Status.PodIP), ServerName: t.ops.ServerName})
		}
	}
	return out, nil
}
