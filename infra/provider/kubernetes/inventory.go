// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// reference names one object in an inventory.
type reference struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
}

func (r reference) object() *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{}}
	o.SetAPIVersion(r.APIVersion)
	o.SetKind(r.Kind)
	o.SetNamespace(r.Namespace)
	o.SetName(r.Name)
	return o
}

// inventory is what a set may have in the cluster, by key. It is recorded there, before
// anything is applied, because an `up` that is killed leaves no trace in Pulumi's state.
type inventory map[string]reference

func inventoryOf(objects map[string]*unstructured.Unstructured) inventory {
	inv := inventory{}
	for _, o := range objects {
		inv[keyOfObject(o)] = reference{o.GetAPIVersion(), o.GetKind(), o.GetNamespace(), o.GetName()}
	}
	return inv
}

// with returns the union of both.
func (inv inventory) with(other inventory) inventory {
	out := inventory{}
	for _, from := range []inventory{inv, other} {
		for k, r := range from {
			out[k] = r
		}
	}
	return out
}

// without returns what other does not hold, whatever its API version.
func (inv inventory) without(other inventory) inventory {
	kept := map[string]bool{}
	for _, r := range other {
		kept[r.identity()] = true
	}
	out := inventory{}
	for k, r := range inv {
		if !kept[r.identity()] {
			out[k] = r
		}
	}
	return out
}

// identity leaves the version out: apps/v1 and apps/v1beta1 name one object.
func (r reference) identity() string {
	return keyOf(r.object().GroupVersionKind().Group, r.Kind, r.Namespace, r.Name)
}

func (inv inventory) objects() []*unstructured.Unstructured {
	out := make([]*unstructured.Unstructured, 0, len(inv))
	for _, k := range sortedKeys(inv) {
		out = append(out, inv[k].object())
	}
	return out
}

const inventoryField = "objects.json"

func inventoryObject(name, namespace string) *unstructured.Unstructured {
	return reference{APIVersion: "v1", Kind: "ConfigMap", Namespace: namespace, Name: name + "-inventory"}.object()
}

// readInventory returns the recorded inventory, and whether there is one.
func (c *cluster) readInventory(ctx context.Context, name, namespace string) (inventory, bool, error) {
	cm := inventoryObject(name, namespace)
	err := c.look(ctx, func() error { return c.client.Get(ctx, client.ObjectKeyFromObject(cm), cm) })
	if apierrors.IsNotFound(err) {
		return inventory{}, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("inventory %s: %w", subject(cm), err)
	}
	text, _, _ := unstructured.NestedString(cm.Object, "data", inventoryField)
	inv, err := parseInventory(text)
	if err != nil {
		return nil, false, fmt.Errorf("inventory %s: data[%q]: %w: restore it, or delete the ConfigMap to go on without pruning what only it knew", subject(cm), inventoryField, err)
	}
	return inv, true, nil
}

// parseInventory reads the recorded text; every entry must name its object in full.
func parseInventory(text string) (inventory, error) {
	var refs []reference
	if err := json.Unmarshal([]byte(text), &refs); err != nil {
		return nil, fmt.Errorf("expected a JSON list of objects: %w", err)
	}
	inv := inventory{}
	for i, r := range refs {
		if r.APIVersion == "" || r.Kind == "" || r.Name == "" {
			return nil, fmt.Errorf("entry %d: expected apiVersion, kind and name", i)
		}
		inv[keyOf(r.APIVersion, r.Kind, r.Namespace, r.Name)] = r
	}
	return inv, nil
}

func (inv inventory) text() (string, error) {
	refs := make([]reference, 0, len(inv))
	for _, k := range sortedKeys(inv) {
		refs = append(refs, inv[k])
	}
	b, err := json.MarshalIndent(refs, "", "  ")
	return string(b), err
}

// writeInventory records what the set may have in the cluster from now on.
func (c *cluster) writeInventory(ctx context.Context, s set, inv inventory) error {
	text, err := inv.text()
	if err != nil {
		return err
	}
	cm := inventoryObject(s.name, s.namespace)
	if err := unstructured.SetNestedField(cm.Object, text, "data", inventoryField); err != nil {
		return err
	}
	c.manager.SetOwnerLabels([]*unstructured.Unstructured{cm}, s.name, s.namespace)
	err = c.client.Patch(ctx, cm, client.Apply, client.ForceOwnership, client.FieldOwner(FieldManager))
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("namespace %s of the inventory does not exist: add it to the objects of this set, or create it first", s.namespace)
	}
	if err != nil {
		return fmt.Errorf("inventory %s: %w", subject(cm), c.classify(err))
	}
	return nil
}
