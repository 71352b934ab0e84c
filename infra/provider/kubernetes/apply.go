// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/utils"
	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// settleTimeout bounds what must pass within one set even when it does not wait: the API
// answering, and definitions being served before what they define.
const settleTimeout = time.Minute

// stages splits objects into what must exist first: definitions (CRDs, namespaces, cluster
// roles), classes, and the rest. Within a stage the library orders by kind.
func stages(objects []*unstructured.Unstructured) [][]*unstructured.Unstructured {
	var definitions, classes, rest []*unstructured.Unstructured
	for _, o := range objects {
		switch {
		case utils.IsClusterDefinition(o):
			definitions = append(definitions, o)
		case utils.IsClassDefinition(o):
			classes = append(classes, o)
		default:
			rest = append(rest, o)
		}
	}
	return [][]*unstructured.Unstructured{definitions, classes, rest}
}

// applyStage applies one stage, again after transient failures until ctx ends. Applying
// twice is harmless: what is already as asked is left alone. defined holds the kinds that
// an earlier stage has defined, which may take a moment to be served.
func (c *cluster) applyStage(ctx context.Context, stage []*unstructured.Unstructured, defined map[schema.GroupKind]bool) error {
	if len(stage) == 0 {
		return nil
	}
	err := c.retry(ctx, func() error {
		_, err := c.manager.ApplyAll(ctx, stage, ssa.DefaultApplyOptions())
		var missing *meta.NoKindMatchError
		if errors.As(err, &missing) && defined[missing.GroupKind] {
			return &notServedError{err}
		}
		return err
	})
	return explainApply(err)
}

// definedKinds returns the kinds that the CRDs among the objects define.
func definedKinds(objects []*unstructured.Unstructured) map[schema.GroupKind]bool {
	out := map[schema.GroupKind]bool{}
	for _, o := range objects {
		if utils.IsCRD(o) {
			group, _, _ := unstructured.NestedString(o.Object, "spec", "group")
			kind, _, _ := unstructured.NestedString(o.Object, "spec", "names", "kind")
			out[schema.GroupKind{Group: group, Kind: kind}] = true
		}
	}
	return out
}

// immutable matches how the API server refuses to change a field in place.
var immutable = regexp.MustCompile(`immutable|may not change once set|updates to \w+ spec for fields other than`)

// explainApply adds the fix to the refusals that a user can act on.
func explainApply(err error) error {
	if err == nil {
		return nil
	}
	if apierrors.IsInvalid(err) && immutable.MatchString(err.Error()) {
		return fmt.Errorf("%w: a field of it cannot change in place: delete the object with kubectl and run again, or restore the field", err)
	}
	if meta.IsNoMatchError(err) {
		return fmt.Errorf("%w: the cluster does not serve this kind: add its CustomResourceDefinition to this set or to one that it depends on", err)
	}
	return err
}

// owner is a set's identity in labels.
type owner struct{ name, namespace string }

func (o owner) String() string { return o.namespace + "/" + o.name }

func ownerOf(o metav1.Object) owner {
	l := o.GetLabels()
	return owner{l[ownerGroup+"/name"], l[ownerGroup+"/namespace"]}
}

// refuseForeign reports every object that another set holds: two sets that both apply an
// object would undo each other at every update.
func (c *cluster) refuseForeign(ctx context.Context, s set, ours ...owner) error {
	var (
		mu       sync.Mutex
		problems []error
	)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(concurrency)
	for _, o := range s.list() {
		g.Go(func() error {
			held, err := c.holder(ctx, o)
			if err != nil {
				return fmt.Errorf("%s: %w", subject(o), err)
			}
			for _, mine := range append(ours, owner{}) {
				if held == mine {
					return nil
				}
			}
			mu.Lock()
			defer mu.Unlock()
			problems = append(problems, fmt.Errorf("%s belongs to the set %s: remove it from one of the two", subject(o), held))
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return sortedErrors(problems)
}

// holder returns the set that the object in the cluster belongs to; zero when there is no
// such object or no set claims it.
func (c *cluster) holder(ctx context.Context, o *unstructured.Unstructured) (owner, error) {
	live := &metav1.PartialObjectMetadata{}
	live.SetGroupVersionKind(o.GroupVersionKind())
	err := c.look(ctx, func() error { return c.client.Get(ctx, client.ObjectKeyFromObject(o), live) })
	switch {
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return owner{}, nil
	case err != nil:
		return owner{}, err
	}
	return ownerOf(live), nil
}

// prune deletes what the inventory holds and the set no longer asks for.
func (c *cluster) prune(ctx context.Context, gone inventory, owners []owner, say progress) error {
	if len(gone) == 0 {
		return nil
	}
	say("pruning %d objects that left the set", len(gone))
	return c.remove(ctx, gone, owners, say)
}

// sortedErrors joins errors in the order of their text, so that messages are stable.
func sortedErrors(errs []error) error {
	byText := map[string]error{}
	for _, e := range errs {
		byText[e.Error()] = e
	}
	out := make([]error, 0, len(byText))
	for _, k := range sortedKeys(byText) {
		out = append(out, byText[k])
	}
	return errors.Join(out...)
}
