// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	messaging "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
)

const (
	// failoverNamespace holds the databases that are measured, beside the services'.
	failoverNamespace = "spine-bench"
	// failoverDatabase is the database of each, and its owner.
	failoverDatabase = "bench"
	// wholeWithin is how long a database may take to have all its members.
	wholeWithin = 5 * time.Minute
)

// arm is one of the databases that are measured side by side: ours, or the same as CloudNativePG has it by default.
type arm struct {
	name    string
	site    *bench
	objects client.Client
	writer  *writer
}

// failovers deletes the primary of a database of ours and of a stock one in turn, while one client of each writes.
func (b *bench) failovers(ctx context.Context, runs int) error {
	objects, err := b.site.Objects()
	if err != nil {
		return err
	}
	m := &messaging.MessagingService{}
	if err := objects.Get(ctx, types.NamespacedName{Namespace: "spine-messaging", Name: "spine"}, m); err != nil {
		return fmt.Errorf("the site has to be up, with its services: %w", err)
	}
	if m.Spec.Database.Image == "" {
		return errors.New("the services' databases are not in the cluster: there is nothing to measure")
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: failoverNamespace, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
	if err := objects.Create(ctx, ns); err != nil {
		return fmt.Errorf("%w: if it is left from a run that was killed, `kubectl delete namespace %s` takes it away", err, ns.Name)
	}
	defer func() { _ = objects.Delete(context.WithoutCancel(ctx), ns) }()

	fmt.Printf("Primaries deleted, %d times each, a client writing:\n", runs)
	var arms []*arm
	for _, c := range []*unstructured.Unstructured{ours(m), stock(m)} {
		a := &arm{name: c.GetName(), site: b, objects: objects}
		if err := objects.Create(ctx, c); err != nil {
			return err
		}
		arms = append(arms, a)
	}
	for _, a := range arms {
		if _, err := a.whole(ctx); err != nil {
			return err
		}
		if a.writer, err = startWriter(ctx, b.site, objects, a.name, string(m.Spec.Database.Image)); err != nil {
			return err
		}
	}
	for range runs {
		for _, a := range arms {
			if err := a.lose(ctx); err != nil {
				return fmt.Errorf("%s: %w", a.name, err)
			}
		}
	}
	return nil
}

// lose deletes the primary and records what the client saw until all members were ready again.
func (a *arm) lose(ctx context.Context) error {
	primary, err := a.whole(ctx)
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := a.objects.Delete(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: failoverNamespace, Name: primary}}); err != nil {
		return err
	}
	if err := wait.PollUntilContextTimeout(ctx, time.Second, wholeWithin, false, func(ctx context.Context) (bool, error) {
		s, err := a.state(ctx)
		return err == nil && s.Primary != primary && s.Settled, nil
	}); err != nil {
		return fmt.Errorf("not whole again after its primary %s was deleted: %w", primary, err)
	}
	whole := time.Since(begin)
	if primary, err = a.whole(ctx); err != nil {
		return err
	}
	gap, lost, err := a.writer.since(ctx, begin, primary)
	if err != nil {
		return err
	}
	a.site.record.add("primary deleted: longest gap, "+a.name, "s", gap.Seconds())
	a.site.record.add("primary deleted: all members ready, "+a.name, "s", whole.Seconds())
	a.site.record.add("primary deleted: acknowledged and lost, "+a.name, "rows", float64(lost))
	return nil
}

// whole waits until every member is ready and returns the primary.
func (a *arm) whole(ctx context.Context) (primary string, err error) {
	err = wait.PollUntilContextTimeout(ctx, time.Second, wholeWithin, true, func(ctx context.Context) (bool, error) {
		s, err := a.state(ctx)
		primary = s.Primary
		return err == nil && s.Settled && primary != "", nil
	})
	if err != nil {
		return "", fmt.Errorf("database %s has not all its members: %w", a.name, err)
	}
	return primary, nil
}

func (a *arm) state(ctx context.Context) (database.State, error) {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(database.GVK)
	if err := a.objects.Get(ctx, types.NamespacedName{Namespace: failoverNamespace, Name: a.name}, u); err != nil {
		return database.State{}, err
	}
	return database.Observe(u), nil
}

// ours is a database as the services have theirs, of the same image, without an archive.
func ours(m *messaging.MessagingService) *unstructured.Unstructured {
	a := database.Args{
		Name: "ours", Namespace: failoverNamespace, Database: failoverDatabase, Owner: failoverDatabase,
		Profile: database.ProfileLedger, Topology: m.Spec.Topology, Labels: map[string]string{},
	}
	a.Spec.Image, a.Spec.Instances = m.Spec.Database.Image, 3
	a.Spec.Storage.Size = resource.MustParse("1Gi")
	a.Spec.Resources = common.Resources{CPU: resource.MustParse("100m"), Memory: resource.MustParse("512Mi")}
	return database.Cluster(a)
}

// stock is one of the same size, of which CloudNativePG decides the rest.
func stock(m *messaging.MessagingService) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
		"instances": int64(3), "imageName": string(m.Spec.Database.Image),
		"storage":   map[string]any{"size": "1Gi"},
		"bootstrap": map[string]any{"initdb": map[string]any{"database": failoverDatabase, "owner": failoverDatabase}},
		"resources": map[string]any{"requests": map[string]any{"cpu": "100m", "memory": "512Mi"}, "limits": map[string]any{"memory": "512Mi"}},
	}}}
	u.SetGroupVersionKind(database.GVK)
	u.SetName("stock")
	u.SetNamespace(failoverNamespace)
	return u
}

// runFailovers is the whole of `bench -failovers`.
func runFailovers(ctx context.Context, stack string, runs int, results string) error {
	s, err := existing(ctx, stack, io.Discard)
	if err != nil {
		return err
	}
	b := &bench{site: s, record: newRecord()}
	if err := b.failovers(ctx, runs); err != nil {
		return err
	}
	return b.record.finish(filepath.Join(results, "failovers"))
}
