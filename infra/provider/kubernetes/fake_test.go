// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"context"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// fakeCluster is an API server in memory, with server-side apply, and its resource.
func fakeCluster(t *testing.T, funcs interceptor.Funcs) (client.Client, *resource) {
	t.Helper()
	if funcs.Patch == nil {
		funcs.Patch = patch
	}
	c := fake.NewClientBuilder().WithInterceptorFuncs(funcs).WithReturnManagedFields().WithObjects(
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "kube-system"}},
	).Build()
	return c, newResource(func(string) (*cluster, error) {
		return newCluster("https://10.90.0.100:6443", c, time.Millisecond), nil
	})
}

// patch gives the fake client the dry run that it lacks: it applies to a copy of the live
// object, and leaves the resource version empty when there is none, as an API server does.
func patch(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
	if !slices.Contains(opts, client.PatchOption(client.DryRunAll)) {
		return c.Patch(ctx, obj, patch, opts...)
	}
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(obj.GetObjectKind().GroupVersionKind())
	err := c.Get(ctx, client.ObjectKeyFromObject(obj), live)
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	scratch := fake.NewClientBuilder().WithReturnManagedFields()
	version := ""
	if !apierrors.IsNotFound(err) {
		version = "1" // the fake client counts no versions of applied objects
		scratch = scratch.WithObjects(live)
	}
	if err := scratch.Build().Patch(ctx, obj, patch, client.ForceOwnership, client.FieldOwner(FieldManager)); err != nil {
		return err
	}
	obj.SetResourceVersion(version)
	return nil
}
