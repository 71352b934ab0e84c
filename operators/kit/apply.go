// SPDX-License-Identifier: Apache-2.0

package kit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// DesiredAnnotation holds the digest of what was last applied, so that a field which the
// desired object no longer has is noticed.
const DesiredAnnotation = "spine.nhs.uk/desired"

// Children applies the children of one owner, by server-side apply.
type Children struct {
	// Client reads (from the cache) and writes.
	Client client.Client
	// Owner becomes the controller of each child.
	Owner client.Object
}

// Child is a desired object beside the live one.
type Child struct {
	desired *unstructured.Unstructured
	// Live is the object as the cluster has it; nil when it does not exist.
	Live *unstructured.Unstructured
	// Differs says that applying would change the live object or make it.
	Differs bool
}

// ChangedAt is when the manager last changed the live object; zero when it never did.
func (c *Child) ChangedAt() time.Time {
	var at time.Time
	if c.Live == nil {
		return at
	}
	for _, f := range c.Live.GetManagedFields() {
		if f.Manager == FieldOwner && f.Operation == metav1.ManagedFieldsOperationApply && f.Subresource == "" && f.Time != nil {
			at = f.Time.Time
		}
	}
	return at
}

// Live is the object of a desired one's name as the cluster has it; nil when it does not exist.
func (c Children) Live(ctx context.Context, desired *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(desired.GroupVersionKind())
	err := c.Client.Get(ctx, client.ObjectKeyFromObject(desired), live)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, explain(err, desired.GetKind()+" "+desired.GetName())
	}
	return live, nil
}

// Look compares a desired object with the live one. It refuses an object that somebody
// else controls with a StalledError.
func (c Children) Look(ctx context.Context, desired client.Object) (*Child, error) {
	u, err := c.complete(desired)
	if err != nil {
		return nil, err
	}
	what := u.GetKind() + " " + u.GetName()
	live, err := c.Live(ctx, u)
	if err != nil {
		return nil, err
	}
	if live == nil {
		return &Child{desired: u, Differs: true}, nil
	}
	if err := c.mayAdopt(live); err != nil {
		return nil, err
	}
	child := &Child{desired: u, Live: live}
	if live.GetAnnotations()[DesiredAnnotation] != u.GetAnnotations()[DesiredAnnotation] {
		child.Differs = true
		return child, nil
	}
	if contains(live.Object, u.Object) {
		return child, nil
	}
	// The server may have defaulted or rewritten what was applied: ask it.
	dry := u.DeepCopy()
	if err := c.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(dry), client.FieldOwner(FieldOwner), client.ForceOwnership, client.DryRunAll); err != nil {
		return nil, explain(err, what)
	}
	child.Differs = !equality.Semantic.DeepEqual(content(dry.Object), content(live.Object))
	return child, nil
}

// Apply makes or changes the child where it differs.
func (c Children) Apply(ctx context.Context, child *Child) error {
	if !child.Differs {
		return nil
	}
	u := child.desired.DeepCopy()
	err := c.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(FieldOwner), client.ForceOwnership)
	if err != nil {
		return explain(err, u.GetKind()+" "+u.GetName())
	}
	child.Live, child.Differs = u, false
	return nil
}

// LookAndApply is Look and Apply for children whose change disturbs nobody.
func (c Children) LookAndApply(ctx context.Context, desired ...client.Object) error {
	for _, d := range desired {
		child, err := c.Look(ctx, d)
		if err != nil {
			return err
		}
		if err := c.Apply(ctx, child); err != nil {
			return err
		}
	}
	return nil
}

// mayAdopt refuses what belongs to another controller, and what nobody owns unless it
// carries the label of this service: a child left behind by an orphaning deletion.
func (c Children) mayAdopt(live *unstructured.Unstructured) error {
	what := live.GetKind() + " " + live.GetName()
	controller := metav1.GetControllerOfNoCopy(live)
	switch {
	case controller != nil && controller.UID == c.Owner.GetUID():
		return nil
	case controller != nil:
		return Stalled(common.ReasonOwnedByAnother, "%s belongs to %s %s: rename this service, or delete the other owner", what, controller.Kind, controller.Name)
	case live.GetLabels()[common.ServiceLabel] != c.Owner.GetName():
		return Stalled(common.ReasonOwnedByAnother, "%s exists and was not made by the operator: delete or rename it, or label it %s=%s to hand it over", what, common.ServiceLabel, c.Owner.GetName())
	}
	return nil
}

// complete turns a desired object into what is sent: with owner and digest, without the
// fields that only the server writes.
func (c Children) complete(desired client.Object) (*unstructured.Unstructured, error) {
	gvk, err := apiutil.GVKForObject(desired, c.Client.Scheme())
	if err != nil {
		return nil, err
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(desired)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", gvk.Kind, desired.GetName(), err)
	}
	u := &unstructured.Unstructured{Object: fields}
	u = u.DeepCopy()
	u.SetGroupVersionKind(gvk)
	unstructured.RemoveNestedField(u.Object, "status")
	dropNulls(u.Object)
	raw, err := json.Marshal(u.Object)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(raw)
	annotations := u.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[DesiredAnnotation] = hex.EncodeToString(digest[:8])
	u.SetAnnotations(annotations)
	return u, controllerutil.SetControllerReference(c.Owner, u, c.Client.Scheme())
}
