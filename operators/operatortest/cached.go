// SPDX-License-Identifier: Apache-2.0

package operatortest

import (
	"context"
	"strings"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	resilienceapi "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// CachedManager is Manager for what reads from the manager's cache: it takes the right to list
// to read one object, as a cache does, and none to get it. It is never behind.
func (c *Cluster) CachedManager() (client.WithWatch, error) {
	m, err := client.NewWithWatch(c.ManagerConfig(), client.Options{Scheme: Scheme()})
	return listing{m}, err
}

type listing struct{ client.WithWatch }

// Get implements client.Reader.
func (l listing) Get(ctx context.Context, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
	switch into.(type) {
	case *coordinationv1.Lease, *resilienceapi.ServiceRecovery, *resilienceapi.Failover:
		return l.WithWatch.Get(ctx, key, into, options...) // the manager caches none of these
	}
	gvk, err := apiutil.GVKForObject(into, l.Scheme())
	if err != nil {
		return err
	}
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	if err := l.List(ctx, list, client.InNamespace(key.Namespace), client.MatchingFields{"metadata.name": key.Name}); err != nil {
		return err
	}
	if len(list.Items) == 0 {
		return apierrors.NewNotFound(schema.GroupResource{Group: gvk.Group, Resource: strings.ToLower(gvk.Kind) + "s"}, key.Name)
	}
	if u, ok := into.(*unstructured.Unstructured); ok {
		*u = list.Items[0]
		return nil
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(list.Items[0].Object, into); err != nil {
		return err
	}
	// As from a typed client, which drops what the type says.
	into.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	return nil
}
