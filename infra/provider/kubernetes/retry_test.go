// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// The API's address moves to another host in the middle of a set.
func TestCreateRidesOutAnAPIThatIsAwayForAMoment(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	left := 12
	c, r := fakeCluster(t, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			if key.Name == "dns-inventory" && left > 0 {
				left--
				return refused
			}
			return c.Get(ctx, key, o, opts...)
		},
	})
	create(t, r, inputs(twoMaps()))
	if got := configMaps(t, c); len(got) != 3 || left != 0 {
		t.Errorf("got %v, %d failures left", got, left)
	}
}

// Whatever was applied before a failure stays on record, although the next run may start
// from a state of Pulumi's that never heard of it.
func TestFailedUpdateForgetsNothing(t *testing.T) {
	refuse := ""
	c, r := fakeCluster(t, interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, pt client.Patch, opts ...client.PatchOption) error {
			if o.GetName() == refuse {
				return errors.New("quota exceeded")
			}
			return patch(ctx, c, o, pt, opts...)
		},
	})
	created := create(t, r, inputs(twoMaps()))
	refuse = "c"
	resp, err := serve(t, r).Update(p.UpdateRequest{ID: created.ID, Urn: testURN, State: created.Properties,
		Inputs: inputs(map[string]any{"v1/ConfigMap/kube-system/c": configMap("c", map[string]any{})})})
	if err == nil || resp.PartialState == nil {
		t.Fatalf("got %v, %+v; want a failure that keeps the set", err, resp)
	}
	cl, _ := r.connect("")
	inv, found, err := cl.readInventory(t.Context(), "dns", "kube-system")
	if err != nil || !found || len(inv) != 3 {
		t.Errorf("inventory %v, %v; want a, b and c", inv, err)
	}
	if got := configMaps(t, c); len(got) != 3 {
		t.Errorf("got %v: nothing is pruned before the rest is applied", got)
	}
}

func TestCancelledWhileWaiting(t *testing.T) {
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: "n", Generation: 1}}
	cl := newCluster("", fake.NewClientBuilder().WithObjects(deployment).Build(), time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	err := cl.waitReady(ctx, inventory{"x": {"apps/v1", "Deployment", "n", "x"}}.objects(), time.Minute,
		func(string, ...any) { cancel() })
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "stopped while waiting for Deployment n/x") {
		t.Errorf("got %v", err)
	}
}

func TestReadWithoutACluster(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	_, r := fakeCluster(t, interceptor.Funcs{
		Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
			return refused
		},
	})
	r.patience = time.Millisecond
	_, err := serve(t, r).Read(p.ReadRequest{ID: "kube-system/dns", Urn: testURN, Properties: outputs(inputs(twoMaps()), nil)})
	want := "the Kubernetes API at https://10.90.0.100:6443 does not answer: dial tcp: connection refused: " +
		"check that a control plane host is up and that this machine reaches it"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
