// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

func create(t *testing.T, r *resource, in property.Map) p.CreateResponse {
	t.Helper()
	resp, err := serve(t, r).Create(p.CreateRequest{Urn: testURN, Properties: in})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func twoMaps() map[string]any {
	return map[string]any{
		"v1/ConfigMap/kube-system/a": configMap("a", map[string]any{"k": "1"}),
		"v1/ConfigMap/kube-system/b": configMap("b", map[string]any{"k": "1"}),
	}
}

func configMaps(t *testing.T, c client.Client) []string {
	t.Helper()
	list := &corev1.ConfigMapList{}
	if err := c.List(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, cm := range list.Items {
		names = append(names, cm.Name)
	}
	slices.Sort(names)
	return names
}

func TestCreateUpdatePruneDelete(t *testing.T) {
	c, r := fakeCluster(t, interceptor.Funcs{})
	in := inputs(twoMaps())
	created := create(t, r, in)
	if got, want := configMaps(t, c), []string{"a", "b", "dns-inventory"}; !slices.Equal(got, want) {
		t.Fatalf("after create: %v, want %v", got, want)
	}

	smaller := inputs(map[string]any{"v1/ConfigMap/kube-system/b": configMap("b", map[string]any{"k": "2"})})
	updated, err := serve(t, r).Update(p.UpdateRequest{ID: created.ID, Urn: testURN, State: created.Properties, Inputs: smaller})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := configMaps(t, c), []string{"b", "dns-inventory"}; !slices.Equal(got, want) {
		t.Fatalf("after update: %v, want %v", got, want)
	}

	renamed := smaller.Set("name", property.New("names"))
	updated, err = serve(t, r).Update(p.UpdateRequest{ID: created.ID, Urn: testURN, State: updated.Properties, Inputs: renamed})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := configMaps(t, c), []string{"b", "names-inventory"}; !slices.Equal(got, want) {
		t.Fatalf("after rename: %v, want %v", got, want)
	}

	if err := serve(t, r).Delete(p.DeleteRequest{ID: created.ID, Urn: testURN, Properties: updated.Properties}); err != nil {
		t.Fatal(err)
	}
	if got := configMaps(t, c); len(got) != 0 {
		t.Fatalf("after delete: %v", got)
	}
}

func TestPreviewChangesNothing(t *testing.T) {
	c, r := fakeCluster(t, interceptor.Funcs{})
	if _, err := serve(t, r).Create(p.CreateRequest{Urn: testURN, Properties: inputs(twoMaps()), DryRun: true}); err != nil {
		t.Fatal(err)
	}
	if got := configMaps(t, c); len(got) != 0 {
		t.Fatalf("a preview created %v", got)
	}
}

func TestCreateTakesUpAnInterruptedRun(t *testing.T) {
	c, r := fakeCluster(t, interceptor.Funcs{})
	create(t, r, inputs(twoMaps()))
	// The first run was killed: Pulumi's state knows nothing, and the program has changed.
	create(t, r, inputs(map[string]any{"v1/ConfigMap/kube-system/b": configMap("b", map[string]any{"k": "1"})}))
	if got, want := configMaps(t, c), []string{"b", "dns-inventory"}; !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v: what only the killed run knew must be pruned", got, want)
	}
}

func TestRefreshFindsDriftAndUpdateRepairsIt(t *testing.T) {
	c, r := fakeCluster(t, interceptor.Funcs{})
	in := inputs(twoMaps())
	created := create(t, r, in)
	read := func() p.ReadResponse {
		t.Helper()
		resp, err := serve(t, r).Read(p.ReadRequest{ID: created.ID, Urn: testURN, Properties: created.Properties, Inputs: in})
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	if d := read().Properties.Get("drift").AsMap(); d.Len() != 0 {
		t.Fatalf("drift of an untouched set: %#v", d)
	}
	a := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: "kube-system"}}
	if err := c.Delete(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	b := &corev1.ConfigMap{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "kube-system", Name: "b"}, b); err != nil {
		t.Fatal(err)
	}
	b.Data["k"] = "by hand"
	if err := c.Update(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	found := read()
	drift := found.Properties.Get("drift").AsMap()
	if got := stringOr(drift.Get("v1/ConfigMap/kube-system/a"), ""); got != "missing" {
		t.Errorf("a: %q", got)
	}
	if got := stringOr(drift.Get("v1/ConfigMap/kube-system/b"), ""); got != "changed fields: data.k" {
		t.Errorf("b: %q", got)
	}
	if _, err := serve(t, r).Update(p.UpdateRequest{ID: created.ID, Urn: testURN, State: found.Properties, Inputs: in}); err != nil {
		t.Fatal(err)
	}
	if d := read().Properties.Get("drift").AsMap(); d.Len() != 0 {
		t.Errorf("drift after the repair: %#v", d)
	}
}

func TestReadOfNothingLeft(t *testing.T) {
	_, r := fakeCluster(t, interceptor.Funcs{})
	in := inputs(twoMaps())
	resp, err := serve(t, r).Read(p.ReadRequest{ID: "kube-system/dns", Urn: testURN, Properties: outputs(in, nil), Inputs: in})
	if err != nil || resp.ID != "" {
		t.Errorf("got ID %q, error %v; want none of both", resp.ID, err)
	}
}

func TestTwoSetsCannotHoldOneObject(t *testing.T) {
	_, r := fakeCluster(t, interceptor.Funcs{})
	create(t, r, inputs(twoMaps()))
	other := inputs(twoMaps()).Set("name", property.New("other"))
	for _, dry := range []bool{true, false} {
		_, err := serve(t, r).Create(p.CreateRequest{Urn: testURN, Properties: other, DryRun: dry})
		want := "ConfigMap kube-system/a belongs to the set kube-system/dns: remove it from one of the two\n" +
			"ConfigMap kube-system/b belongs to the set kube-system/dns: remove it from one of the two"
		if err == nil || err.Error() != want {
			t.Errorf("dry run %v: got %v, want %s", dry, err, want)
		}
	}
}

func TestNotReadyKeepsWhatWasMade(t *testing.T) {
	_, r := fakeCluster(t, interceptor.Funcs{})
	in := inputs(map[string]any{"apps/v1/Deployment/kube-system/x": map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "x", "namespace": "kube-system"},
		"spec": map[string]any{"replicas": 2, "selector": map[string]any{"matchLabels": map[string]any{"app": "x"}}},
	}}).Set("waitSeconds", property.New(1.0))
	resp, err := serve(t, r).Create(p.CreateRequest{Urn: testURN, Properties: in})
	want := "not ready within 1s: Deployment kube-system/x: Replicas: 0/2; " +
		"it has no pods: see `kubectl -n kube-system describe deployment x`"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	if resp.PartialState == nil || resp.ID != "kube-system/dns" {
		t.Errorf("the set is not recorded: %+v", resp)
	}
}

func TestWaitingSaysWhatItWaitsFor(t *testing.T) {
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: "n", Generation: 1}}
	c := fake.NewClientBuilder().WithObjects(deployment).WithStatusSubresource(deployment).Build()
	cl := newCluster("", c, time.Millisecond)
	var said []string
	inv := inventory{"x": {"apps/v1", "Deployment", "n", "x"}}
	err := cl.waitReady(t.Context(), inv.objects(), time.Minute, func(format string, args ...any) {
		said = append(said, format)
		deployment.Status = appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1,
			Conditions: []appsv1.DeploymentCondition{{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue}}}
		if err := c.Status().Update(t.Context(), deployment); err != nil {
			t.Error(err)
		}
	})
	if err != nil || len(said) != 1 {
		t.Errorf("error %v, said %v", err, said)
	}
}

func TestUnreachableCluster(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	_, r := fakeCluster(t, interceptor.Funcs{
		Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
			return refused
		},
	})
	c, _ := r.connect("")
	if err := c.reach(t.Context(), 10*time.Millisecond); !isUnreachable(err) {
		t.Errorf("got %v", err)
	}
}
