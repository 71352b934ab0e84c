// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// NotReadyError lists the objects that were not ready when the time was up, one reason each.
type NotReadyError struct {
	Within  time.Duration
	Reasons []string
}

func (e *NotReadyError) Error() string {
	return fmt.Sprintf("not ready within %s: %s", e.Within, strings.Join(e.Reasons, "; "))
}

// waitReady waits until every object is ready by the rules of kstatus, saying what it waits
// for whenever that changes. The error is *NotReadyError when `within` has passed, and
// ctx's error when the user cancelled.
func (c *cluster) waitReady(ctx context.Context, objects []*unstructured.Unstructured, within time.Duration, say progress) error {
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	pending, said := objects, ""
	for {
		var reasons map[string]string
		pending, reasons = c.notReady(ctx, pending)
		if len(pending) == 0 {
			return nil
		}
		if text := summary(pending, reasons); text != said {
			say("waiting for %d of %d: %s", len(pending), len(objects), text)
			said = text
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("stopped while waiting for %s: %w", said, ctx.Err())
		case <-deadline.C:
			return c.explainNotReady(ctx, pending, reasons, within)
		case <-time.After(c.poll):
		}
	}
}

// notReady returns the objects that are not ready, in order, and why, by key.
func (c *cluster) notReady(ctx context.Context, objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, map[string]string) {
	var mu sync.Mutex
	reasons := map[string]string{}
	g := &errgroup.Group{}
	g.SetLimit(concurrency)
	for _, o := range objects {
		g.Go(func() error {
			if why := c.readiness(ctx, o); why != "" {
				mu.Lock()
				defer mu.Unlock()
				reasons[keyOfObject(o)] = why
			}
			return nil
		})
	}
	_ = g.Wait() // the functions return nil: what they find is in reasons
	var pending []*unstructured.Unstructured
	for _, o := range objects {
		if _, ok := reasons[keyOfObject(o)]; ok {
			pending = append(pending, o)
		}
	}
	return pending, reasons
}

// readiness says why an object is not ready; empty when it is. A failed look is a reason
// too, never an end: the API may be moving to another host.
func (c *cluster) readiness(ctx context.Context, o *unstructured.Unstructured) string {
	// A claim of a storage class that binds late stays pending until a pod uses it.
	if o.GetKind() == "PersistentVolumeClaim" {
		return ""
	}
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(o.GroupVersionKind())
	if err := c.client.Get(ctx, client.ObjectKeyFromObject(o), live); err != nil {
		if apierrors.IsNotFound(err) {
			return "is gone: something else deleted it"
		}
		return c.classify(err).Error()
	}
	res, err := status.Compute(live)
	switch {
	case err != nil:
		return err.Error()
	case c.unseen(ctx, live):
		return "its controller has not looked at it yet"
	case res.Status == status.CurrentStatus:
		return ""
	case res.Message == "":
		return string(res.Status)
	}
	return res.Message
}

// unseen says whether an object that kstatus would call ready only carries no word of its
// controller yet: a DaemonSet wants no pods then, and a custom resource has no conditions.
// A kind whose definition knows no conditions never says more, and is not waited for.
func (c *cluster) unseen(ctx context.Context, live *unstructured.Unstructured) bool {
	if live.GetKind() == "DaemonSet" && live.GroupVersionKind().Group == "apps" {
		seen, _, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration")
		return seen < live.GetGeneration()
	}
	if conditions, _, _ := unstructured.NestedSlice(live.Object, "status", "conditions"); len(conditions) > 0 {
		return false
	}
	return c.reportsConditions(ctx, live)
}

// reportsConditions says whether the object is of a custom kind whose definition has
// conditions in its status. A definition that cannot be read counts as one without.
func (c *cluster) reportsConditions(ctx context.Context, live *unstructured.Unstructured) bool {
	gvk := live.GroupVersionKind()
	if !strings.Contains(gvk.Group, ".") {
		return false
	}
	mapping, err := c.client.RESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return false
	}
	crd := &unstructured.Unstructured{}
	crd.SetAPIVersion("apiextensions.k8s.io/v1")
	crd.SetKind("CustomResourceDefinition")
	if err := c.client.Get(ctx, client.ObjectKey{Name: mapping.Resource.GroupResource().String()}, crd); err != nil {
		return false
	}
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	for _, v := range versions {
		version, _ := v.(map[string]any)
		if version["name"] != gvk.Version {
			continue
		}
		_, found, _ := unstructured.NestedMap(version, "schema", "openAPIV3Schema", "properties", "status", "properties", "conditions")
		return found
	}
	return false
}

// summary names the first three pending objects.
func summary(pending []*unstructured.Unstructured, reasons map[string]string) string {
	var parts []string
	for i, o := range pending {
		if i == 3 {
			parts = append(parts, fmt.Sprintf("and %d more", len(pending)-i))
			break
		}
		parts = append(parts, fmt.Sprintf("%s (%s)", subject(o), reasons[keyOfObject(o)]))
	}
	return strings.Join(parts, ", ")
}
