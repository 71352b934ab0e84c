// SPDX-License-Identifier: Apache-2.0

package apiservertest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// lookAgain is how often the stand-in for controllers looks.
const lookAgain = 300 * time.Millisecond

// BecomeReady stands in for the controllers of the kinds until the test ends: it writes into
// the status of each object that it is ready, and makes nothing of it. The clock is all that
// it goes by, since a definition may come long after it.
func (s *Server) BecomeReady(t testing.TB, kinds ...schema.GroupVersionResource) {
	t.Helper()
	config, err := clientcmd.RESTConfigFromKubeConfig([]byte(s.Kubeconfig()))
	if err != nil {
		t.Fatal(err)
	}
	// Not every kind has all of what is written.
	config.WarningHandler = rest.NoWarnings{}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		tick := time.NewTicker(lookAgain)
		defer tick.Stop()
		for {
			for _, kind := range kinds {
				makeReady(ctx, client, kind)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
}

// makeReady looks once. What fails is tried again: the test fails where nothing is ready in
// time.
func makeReady(ctx context.Context, client dynamic.Interface, kind schema.GroupVersionResource) {
	list, err := client.Resource(kind).List(ctx, metav1.ListOptions{})
	if err != nil {
		return
	}
	for _, o := range list.Items {
		if seen, _, _ := unstructured.NestedInt64(o.Object, "status", "observedGeneration"); seen == o.GetGeneration() {
			continue
		}
		patch, err := json.Marshal(map[string]any{"status": status(o)})
		if err == nil {
			_, _ = client.Resource(kind).Namespace(o.GetNamespace()).Patch(ctx, o.GetName(), types.MergePatchType, patch, metav1.PatchOptions{}, "status")
		}
	}
}

func status(o unstructured.Unstructured) map[string]any {
	now := metav1.Now().UTC().Format(time.RFC3339)
	ready := map[string]any{"observedGeneration": o.GetGeneration()}
	conditions := map[string]string{"Ready": "Test"}
	if o.GetKind() == "Deployment" {
		wanted, _, _ := unstructured.NestedInt64(o.Object, "spec", "replicas")
		conditions = map[string]string{"Available": "MinimumReplicasAvailable", "Progressing": "NewReplicaSetAvailable"}
		for _, count := range []string{"replicas", "updatedReplicas", "readyReplicas", "availableReplicas"} {
			ready[count] = wanted
		}
	}
	var list []any
	for kind, reason := range conditions {
		list = append(list, map[string]any{"type": kind, "status": "True", "reason": reason, "message": "it is a test", "lastTransitionTime": now})
	}
	ready["conditions"] = list
	return ready
}
