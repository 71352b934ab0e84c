// SPDX-License-Identifier: Apache-2.0

package servicerecovery

import (
	"context"
	"encoding/json"
	"slices"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"spine.nhs.uk/controlplane/operators/decide/recovery"
)

// fieldOwner of what operations write to objects that somebody else applies: theirs stays
// when the owner applies again.
const fieldOwner = client.FieldOwner("spine-recovery")

// patch merges into an object, which has to be the very one that was read, unchanged since.
func (r *Reconciler) patch(ctx context.Context, o client.Object, merge map[string]any) error {
	meta, _ := merge["metadata"].(map[string]any)
	if meta == nil {
		meta = map[string]any{}
		merge["metadata"] = meta
	}
	meta["uid"], meta["resourceVersion"] = string(o.GetUID()), o.GetResourceVersion()
	raw, err := json.Marshal(merge)
	if err != nil {
		return err
	}
	into := o.DeepCopyObject().(client.Object)
	return r.Client.Patch(ctx, into, client.RawPatch(types.MergePatchType, raw), fieldOwner)
}

// annotate sets an annotation; an empty value takes it away.
func (r *Reconciler) annotate(ctx context.Context, o client.Object, key, value string) error {
	if o.GetAnnotations()[key] == value {
		return nil
	}
	set := any(value)
	if value == "" {
		set = nil
	}
	return r.patch(ctx, o, map[string]any{"metadata": map[string]any{"annotations": map[string]any{key: set}}})
}

// evict asks for a pod of exactly this UID to go, as far as its budget allows. One that is
// gone, or has a successor, is no error.
func (r *Reconciler) evict(ctx context.Context, o recovery.Object) error {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: o.Namespace, Name: o.Name}}
	err := r.Client.SubResource("eviction").Create(ctx, pod, &policyv1.Eviction{
		ObjectMeta:    pod.ObjectMeta,
		DeleteOptions: &metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: ptr.To(types.UID(o.UID))}},
	})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

// doomed is what a step takes away: objects that its plan names by UID.
type doomed struct {
	pods, volumes []recovery.Object
}

func newDoomed(named []recovery.Object) doomed {
	var d doomed
	for _, o := range named {
		switch o.Kind {
		case "Pod":
			d.pods = append(d.pods, o)
		case "PersistentVolumeClaim":
			d.volumes = append(d.volumes, o)
		}
	}
	return d
}

// left returns what of it is still there: volumes by their UID, and pods by theirs or, as a
// pod may have been restarted since, because they use such a volume.
func (r *Reconciler) left(ctx context.Context, d doomed) (pods []corev1.Pod, volumes []corev1.PersistentVolumeClaim, err error) {
	for _, o := range d.volumes {
		var v corev1.PersistentVolumeClaim
		err := r.Reader.Get(ctx, client.ObjectKey{Namespace: o.Namespace, Name: o.Name}, &v)
		if client.IgnoreNotFound(err) != nil {
			return nil, nil, err
		}
		if err == nil && string(v.UID) == o.UID {
			volumes = append(volumes, v)
		}
	}
	for _, o := range d.pods {
		var p corev1.Pod
		err := r.Reader.Get(ctx, client.ObjectKey{Namespace: o.Namespace, Name: o.Name}, &p)
		if client.IgnoreNotFound(err) != nil {
			return nil, nil, err
		}
		if err == nil && (string(p.UID) == o.UID || uses(&p, volumes)) {
			pods = append(pods, p)
		}
	}
	return pods, volumes, nil
}

func uses(p *corev1.Pod, volumes []corev1.PersistentVolumeClaim) bool {
	return slices.ContainsFunc(p.Spec.Volumes, func(v corev1.Volume) bool {
		return v.PersistentVolumeClaim != nil && slices.ContainsFunc(volumes, func(c corev1.PersistentVolumeClaim) bool {
			return c.Name == v.PersistentVolumeClaim.ClaimName
		})
	})
}

// remove deletes exactly the object that was read, unless it changed since or goes already.
func (r *Reconciler) remove(ctx context.Context, o client.Object, options ...client.DeleteOption) error {
	if !o.GetDeletionTimestamp().IsZero() {
		return nil
	}
	precondition := client.Preconditions{UID: ptr.To(o.GetUID()), ResourceVersion: ptr.To(o.GetResourceVersion())}
	return client.IgnoreNotFound(r.Client.Delete(ctx, o, append(options, precondition)...))
}

// remaining says in words what is still there.
func remaining(pods []corev1.Pod, volumes []corev1.PersistentVolumeClaim) string {
	return tally(pods, volumes) + " are still there; a pod on a host that does not answer stays until the host is back or fenced (FenceHost)"
}

func tally(pods []corev1.Pod, volumes []corev1.PersistentVolumeClaim) string {
	return recovery.Count(len(pods), "pod", "pods") + " and " + recovery.Count(len(volumes), "volume", "volumes")
}

// named makes the plan's object of one that was read.
func named(kind string, o client.Object) recovery.Object {
	return recovery.Object{Kind: kind, Namespace: o.GetNamespace(), Name: o.GetName(), UID: string(o.GetUID())}
}
