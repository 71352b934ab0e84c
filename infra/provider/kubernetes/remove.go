// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/fluxcd/pkg/ssa"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// removeTimeout bounds how long objects may take to go away: a namespace with volumes, or
// an instance that its operator has to shut down first.
const removeTimeout = 5 * time.Minute

// remove deletes the objects that one of the owners holds, and waits until they are gone.
// Instances of custom resources go first, while the operator that holds their finalizers
// still runs; the rest follows in the reverse of the order in which it was applied. When
// the API server refuses one of the instances, none of the objects is deleted.
func (c *cluster) remove(ctx context.Context, inv inventory, owners []owner, say progress) error {
	ctx, cancel := context.WithTimeout(ctx, removeTimeout)
	defer cancel()
	objects := inv.objects()
	sort.Sort(sort.Reverse(ssa.SortableUnstructureds(objects)))
	var custom, builtin []*unstructured.Unstructured
	for _, o := range objects {
		if isBuiltinGroup(o.GroupVersionKind().Group) {
			builtin = append(builtin, o)
		} else {
			custom = append(custom, o)
		}
	}
	if err := c.refusals(ctx, custom, owners); err != nil {
		return err
	}
	for _, stage := range [][]*unstructured.Unstructured{custom, builtin} {
		if err := c.removeStage(ctx, stage, owners, say); err != nil {
			return err
		}
	}
	return nil
}

// refusals asks the API server, in a dry run, which of the objects it would not let go: a
// policy may keep what still holds somebody's work. All of them are in the error.
func (c *cluster) refusals(ctx context.Context, objects []*unstructured.Unstructured, owners []owner) error {
	var errs []error
	for _, o := range objects {
		err := c.retry(ctx, func() error {
			held, err := c.holder(ctx, o)
			if err != nil || !slices.Contains(owners, held) {
				return err
			}
			return client.IgnoreNotFound(c.client.Delete(ctx, o, client.DryRunAll))
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("delete %s: %w", subject(o), err))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("nothing was deleted: %w", errors.Join(errs...))
}

func (c *cluster) removeStage(ctx context.Context, stage []*unstructured.Unstructured, owners []owner, say progress) error {
	var deleted []*unstructured.Unstructured
	for _, o := range stage {
		if isProtectedNamespace(o) {
			continue
		}
		var ours bool
		err := c.retry(ctx, func() error {
			held, err := c.holder(ctx, o)
			ours = slices.Contains(owners, held)
			if err != nil || !ours {
				return err
			}
			err = c.client.Delete(ctx, o, client.PropagationPolicy(metav1.DeletePropagationBackground))
			return client.IgnoreNotFound(err)
		})
		if err != nil {
			return fmt.Errorf("delete %s: %w", subject(o), err)
		}
		if ours {
			deleted = append(deleted, o)
		}
	}
	return c.waitGone(ctx, deleted, say)
}

// waitGone waits until the objects are gone; the error names those that are not, and why.
func (c *cluster) waitGone(ctx context.Context, objects []*unstructured.Unstructured, say progress) error {
	pending, said := objects, ""
	for {
		var left []*unstructured.Unstructured
		var reasons []string
		for _, o := range pending {
			live := &unstructured.Unstructured{}
			live.SetGroupVersionKind(o.GroupVersionKind())
			err := c.client.Get(ctx, client.ObjectKeyFromObject(o), live)
			switch {
			case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
			case err == nil && live.GetDeletionTimestamp().IsZero():
				// Ours is gone; something else has made its own since.
			case err != nil:
				left, reasons = append(left, o), append(reasons, subject(o)+": "+c.classify(err).Error())
			default:
				left, reasons = append(left, o), append(reasons, subject(o)+": "+heldBy(live))
			}
		}
		if pending = left; len(pending) == 0 {
			return nil
		}
		if text := strings.Join(reasons[:min(len(reasons), 3)], ", "); text != said {
			say("deleting, %d left: %s", len(pending), text)
			said = text
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not gone: %s: %w", strings.Join(reasons, "; "), ctx.Err())
		case <-time.After(c.poll):
		}
	}
}
