// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"context"
	"crypto/x509"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

func quiet(string, ...any) {}

func TestRemoveOrder(t *testing.T) {
	var order []string
	c, r := fakeCluster(t, interceptor.Funcs{
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			if !slices.Contains(opts, client.DeleteOption(client.DryRunAll)) {
				order = append(order, o.GetObjectKind().GroupVersionKind().Kind)
			}
			return c.Delete(ctx, o, opts...)
		},
	})
	cl, _ := r.connect("")
	inv := inventory{}
	for _, ref := range []reference{
		{"v1", "Namespace", "", "n"}, {"v1", "ConfigMap", "n", "x"}, {"apps/v1", "Deployment", "n", "x"},
		{"example.org/v1", "Thing", "n", "x"}, {"v1", "Namespace", "", "kube-system"},
	} {
		inv[keyOf(ref.APIVersion, ref.Kind, ref.Namespace, ref.Name)] = ref
		o := ref.object()
		o.SetLabels(map[string]string{ownerGroup + "/name": "dns", ownerGroup + "/namespace": "kube-system"})
		put := func() error { return c.Create(t.Context(), o) }
		if ref.Name == "kube-system" {
			put = func() error { return c.Update(t.Context(), o) }
		}
		if err := put(); err != nil {
			t.Fatal(err)
		}
	}
	if err := cl.remove(t.Context(), inv, []owner{{"dns", "kube-system"}}, quiet); err != nil {
		t.Fatal(err)
	}
	if want := []string{"Thing", "Deployment", "ConfigMap", "Namespace"}; !slices.Equal(order, want) {
		t.Errorf("deleted %v, want %v: instances before their operator, namespaces last, kube-system never", order, want)
	}
}

// A policy that keeps one instance keeps the whole set, and every refusal is told.
func TestRemoveIsRefusedAsAWhole(t *testing.T) {
	c, r := fakeCluster(t, interceptor.Funcs{
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			if o.GetName() != "empty" && o.GetObjectKind().GroupVersionKind().Kind == "Thing" {
				return apierrors.NewForbidden(schema.GroupResource{Group: "example.org", Resource: "things"}, o.GetName(), errors.New("holds 7 messages"))
			}
			return c.Delete(ctx, o, opts...)
		},
	})
	cl, _ := r.connect("")
	inv := inventory{}
	for _, ref := range []reference{
		{"example.org/v1", "Thing", "n", "empty"}, {"example.org/v1", "Thing", "n", "one"}, {"example.org/v1", "Thing", "n", "two"},
		{"v1", "ConfigMap", "n", "x"},
	} {
		inv[keyOf(ref.APIVersion, ref.Kind, ref.Namespace, ref.Name)] = ref
		o := ref.object()
		o.SetLabels(map[string]string{ownerGroup + "/name": "dns", ownerGroup + "/namespace": "kube-system"})
		if err := c.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	err := cl.remove(t.Context(), inv, []owner{{"dns", "kube-system"}}, quiet)
	for _, want := range []string{"nothing was deleted", "delete Thing n/one: ", "delete Thing n/two: ", "holds 7 messages"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the refusal lacks %q: %v", want, err)
		}
	}
	for _, o := range inv.objects() {
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
			t.Errorf("%s: %v", subject(o), err)
		}
	}
}

func TestRemoveLeavesWhatAnotherSetHolds(t *testing.T) {
	c, r := fakeCluster(t, interceptor.Funcs{})
	cl, _ := r.connect("")
	theirs := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: "n",
		Labels: map[string]string{ownerGroup + "/name": "other", ownerGroup + "/namespace": "kube-system"}}}
	if err := c.Create(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	inv := inventory{"x": {"v1", "ConfigMap", "n", "x"}}
	if err := cl.remove(t.Context(), inv, []owner{{"dns", "kube-system"}}, quiet); err != nil {
		t.Fatal(err)
	}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(theirs), theirs); err != nil {
		t.Errorf("deleted: %v", err)
	}
}

func TestWaitGoneNamesFinalizers(t *testing.T) {
	c, r := fakeCluster(t, interceptor.Funcs{})
	cl, _ := r.connect("")
	held := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: "n", Finalizers: []string{"example.org/hold"}}}
	if err := errors.Join(c.Create(t.Context(), held), c.Delete(t.Context(), held)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := cl.waitGone(ctx, inventory{"x": {"v1", "ConfigMap", "n", "x"}}.objects(), quiet)
	if err == nil || !strings.Contains(err.Error(), "ConfigMap n/x: held by finalizers example.org/hold") {
		t.Errorf("got %v", err)
	}
}

func TestHeldBy(t *testing.T) {
	waiting := &unstructured.Unstructured{Object: map[string]any{"status": map[string]any{"conditions": []any{
		map[string]any{"type": "Ready", "status": "True", "message": "all is well"},
		map[string]any{"type": "Stalled", "status": "True", "reason": "UnprocessedWork", "message": "the deletion waits: 7 messages"},
	}}}}
	if got := heldBy(waiting); got != "still being deleted" {
		t.Errorf("without a finalizer: %q", got)
	}
	waiting.SetFinalizers([]string{"example.org/work"})
	if got, want := heldBy(waiting), "held by finalizers example.org/work: UnprocessedWork: the deletion waits: 7 messages"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	waiting.Object["status"] = map[string]any{"conditions": []any{"odd"}}
	if got, want := heldBy(waiting), "held by finalizers example.org/work"; got != want {
		t.Errorf("a status that is no status: got %q, want %q", got, want)
	}
}

func TestClassify(t *testing.T) {
	c := &cluster{server: "https://api:6443"}
	request := func(err error) error { return &url.Error{Op: "Get", URL: "https://api:6443", Err: err} }
	if err := c.classify(request(x509.UnknownAuthorityError{})); !isOtherCluster(err) || isTransient(err) {
		t.Errorf("another authority: %v", err)
	}
	if err := c.classify(request(errors.New("connection refused"))); !isUnreachable(err) || !isTransient(err) {
		t.Errorf("refused: %v", err)
	}
	for text, want := range map[string]bool{
		`failed calling webhook "x": connection refused`:    true,
		"etcdserver: leader changed":                        true,
		".spec.sise: field not declared in schema":          false,
		"no kind is registered for the type in this scheme": false,
	} {
		if got := isTransient(apierrors.NewInternalError(errors.New(text))); got != want {
			t.Errorf("%s: transient %v, want %v", text, got, want)
		}
	}
	if err := c.classify(request(context.Canceled)); !errors.Is(err, context.Canceled) || isTransient(err) {
		t.Errorf("cancelled by the user: %v", err)
	}
}

// deleteWith deletes a set on a cluster whose API fails with err.
func deleteWith(t *testing.T, err error) error {
	t.Helper()
	_, r := fakeCluster(t, interceptor.Funcs{
		Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
			return err
		},
	})
	r.patience = 5 * time.Millisecond
	return serve(t, r).Delete(p.DeleteRequest{ID: "kube-system/dns", Urn: testURN, Properties: outputs(inputs(twoMaps()), nil)})
}

func TestDeleteOnAClusterThatIsGone(t *testing.T) {
	refused := &url.Error{Op: "Get", URL: "https://10.90.0.100:6443", Err: errors.New("connection refused")}
	if err := deleteWith(t, refused); err == nil || !strings.Contains(err.Error(), "set SPINE_DELETE_UNREACHABLE=true") {
		t.Errorf("unreachable: got %v, want the way out", err)
	}
	if err := deleteWith(t, x509.UnknownAuthorityError{}); err != nil {
		t.Errorf("another cluster at the address: %v", err)
	}
	t.Setenv(deleteUnreachableEnv, "true")
	if err := deleteWith(t, refused); err != nil {
		t.Errorf("with %s: %v", deleteUnreachableEnv, err)
	}
}
