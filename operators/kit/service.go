// SPDX-License-Identifier: Apache-2.0

package kit

import (
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	// stalledPace is how often to look at what only a person can mend.
	stalledPace = time.Minute
	// conflictPace is when to look again at what somebody else changed meanwhile.
	conflictPace = time.Second
)

// ServiceController begins the controller of a service and of its children, which are
// read as unstructured objects. Its own writes to the service's status are no reason to
// look again. Kinds that the cluster does not know are not watched: those of an operator of
// engines that somebody else runs here. A service that needs one is Stalled (EngineMissing)
// and looked at again in a minute; its children are watched after a restart of the manager.
func ServiceController(m ctrl.Manager, service client.Object, children ...schema.GroupVersionKind) *builder.Builder {
	b := ctrl.NewControllerManagedBy(m).For(service, builder.WithPredicates(predicate.Or(
		predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})))
	for _, gvk := range children {
		if _, err := m.GetRESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version); meta.IsNoMatchError(err) {
			m.GetLogger().Info("the cluster does not know a kind of engine, so none is watched", "kind", gvk.String())
			continue
		}
		child := &unstructured.Unstructured{}
		child.SetGroupVersionKind(gvk)
		b = b.Owns(child)
	}
	return b
}

// Outcome says when a service is looked at again (after: what its phases asked for) and
// which error goes to the queue, for its back-off: none that waiting or a person mends.
func Outcome(after time.Duration, err error) (reconcile.Result, error) {
	switch {
	case AsStalled(err) != nil:
		return reconcile.Result{RequeueAfter: Sooner(after, stalledPace)}, nil
	case apierrors.IsConflict(err): // the cache was behind: no error
		return reconcile.Result{RequeueAfter: conflictPace}, nil
	case err != nil:
		return reconcile.Result{}, err
	}
	return reconcile.Result{RequeueAfter: after}, nil
}
