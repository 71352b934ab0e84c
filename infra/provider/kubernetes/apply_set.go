// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// applySet records what is about to exist, applies it stage by stage, prunes what left the
// set, and waits. Pruning comes before waiting because what left may hold what the new
// objects need, such as a port of the host. owners are the set's identities: its own
// first, then the one it had before, if that was another.
func (c *cluster) applySet(ctx context.Context, s set, owners []owner, wait time.Duration, say progress) error {
	settle, cancel := context.WithTimeout(ctx, max(wait, settleTimeout))
	defer cancel()

	objects := s.list()
	c.manager.SetOwnerLabels(objects, s.name, s.namespace)
	if err := c.applyNamespace(settle, objects, s.namespace); err != nil {
		return err
	}
	recorded := inventory{}
	for _, o := range owners {
		inv, _, err := c.readInventory(settle, o.name, o.namespace)
		if err != nil {
			return err
		}
		recorded = recorded.with(inv)
	}
	wanted := inventoryOf(s.objects)
	write := func(ctx context.Context, inv inventory) error {
		return c.retry(ctx, func() error { return c.writeInventory(ctx, s, inv) })
	}
	if err := write(settle, recorded.with(wanted)); err != nil {
		return err
	}
	defined := definedKinds(objects)
	say("applying %d objects", len(objects))
	for i, stage := range stages(objects) {
		if err := c.applyStage(settle, stage, defined); err != nil {
			return err
		}
		if i == 0 {
			// What a definition defines is refused until the definition is in effect.
			if err := c.waitReady(ctx, stage, max(wait, settleTimeout), say); err != nil {
				return err
			}
		}
	}
	if err := c.prune(ctx, recorded.without(wanted), owners, say); err != nil {
		return err
	}
	if err := write(ctx, wanted); err != nil {
		return err
	}
	for _, o := range owners[1:] {
		if err := c.removeInventory(ctx, o); err != nil {
			return err
		}
	}
	if wait > 0 {
		if err := c.waitReady(ctx, objects, wait, say); err != nil {
			return err
		}
	}
	say("%d objects applied", len(objects))
	return nil
}

// applyNamespace applies the inventory's namespace ahead of everything if the set holds it.
func (c *cluster) applyNamespace(ctx context.Context, objects []*unstructured.Unstructured, name string) error {
	for _, o := range objects {
		if keyOfObject(o) == keyOf("v1", "Namespace", "", name) {
			return c.applyStage(ctx, []*unstructured.Unstructured{o.DeepCopy()}, nil)
		}
	}
	return nil
}

// removeInventory deletes the record of a set; a namespace that is gone took it along.
func (c *cluster) removeInventory(ctx context.Context, o owner) error {
	return c.retry(ctx, func() error {
		err := c.client.Delete(ctx, inventoryObject(o.name, o.namespace))
		if apierrors.IsNotFound(err) {
			return nil
		}
		return err
	})
}
