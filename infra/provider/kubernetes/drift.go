// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/fluxcd/pkg/ssa"
	ssaerrors "github.com/fluxcd/pkg/ssa/errors"
	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// finding is what a server-side dry run says about one object.
type finding struct {
	// action is what applying would do: created, configured or unchanged.
	action ssa.Action
	// fields are the paths that would change, when action is configured.
	fields []string
	// err is why the dry run was refused; the action is then empty.
	err error
}

// maxFields bounds how many changed fields one message names.
const maxFields = 8

// compare dry-runs every object, in parallel, and returns what it found by key. A refusal
// concerns one object and is part of its finding; the error is of the cluster as a whole.
func (c *cluster) compare(ctx context.Context, s set) (map[string]finding, error) {
	objects := s.list()
	c.manager.SetOwnerLabels(objects, s.name, s.namespace)
	var mu sync.Mutex
	out := map[string]finding{}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(concurrency)
	for _, o := range objects {
		g.Go(func() error {
			key := keyOfObject(o)
			f := c.compareOne(ctx, o)
			if isUnreachable(f.err) || isOtherCluster(f.err) || ctx.Err() != nil {
				return f.err
			}
			mu.Lock()
			defer mu.Unlock()
			out[key] = f
			return nil
		})
	}
	return out, g.Wait()
}

func (c *cluster) compareOne(ctx context.Context, o *unstructured.Unstructured) finding {
	var (
		change       *ssa.ChangeSetEntry
		live, merged *unstructured.Unstructured
	)
	err := c.look(ctx, func() (err error) {
		change, live, merged, err = c.manager.Diff(ctx, o.DeepCopy(), ssa.DefaultDiffOptions())
		if err == nil && live != nil && live.GetName() == "" {
			// The library passes over a failure to read the live object; everything would
			// look changed.
			return &UnreachableError{Server: c.server, Err: errors.New("the live object could not be read")}
		}
		return err
	})
	var refused *ssaerrors.DryRunErr
	if errors.As(err, &refused) {
		err = refused.Unwrap() // without the object's name: the finding has its key
	}
	if err != nil {
		return finding{err: err}
	}
	f := finding{action: change.Action}
	if f.action == ssa.ConfiguredAction {
		f.fields = changedFields(live.Object, merged.Object)
	}
	return f
}

// isAbsent says that an object cannot exist, because its kind or namespace does not.
func isAbsent(err error) bool {
	return meta.IsNoMatchError(err) || apierrors.IsNotFound(err)
}

// changedFields names the fields in which two versions of an object differ, without their
// values, which may be secret. Only what applying can change counts.
func changedFields(live, merged map[string]any) []string {
	var out []string
	walkFields("", live, merged, &out)
	slices.Sort(out)
	return out
}

func walkFields(path string, a, b any, out *[]string) {
	if reflect.DeepEqual(a, b) {
		return
	}
	am, aok := a.(map[string]any)
	bm, bok := b.(map[string]any)
	if aok && bok {
		keys := map[string]bool{}
		for k := range am {
			keys[k] = true
		}
		for k := range bm {
			keys[k] = true
		}
		for k := range keys {
			if next := join(path, k); !isServerField(next) {
				walkFields(next, am[k], bm[k], out)
			}
		}
		return
	}
	al, aok := a.([]any)
	bl, bok := b.([]any)
	if aok && bok && len(al) == len(bl) {
		for i := range al {
			walkFields(fmt.Sprintf("%s[%s]", path, elementName(al[i], i)), al[i], bl[i], out)
		}
		return
	}
	*out = append(*out, path)
}

// elementName prefers the name of a list's element to its index: containers[coredns].
func elementName(v any, i int) string {
	if m, ok := v.(map[string]any); ok {
		if name, ok := m["name"].(string); ok {
			return name
		}
	}
	return fmt.Sprint(i)
}

func join(path, key string) string {
	if strings.ContainsAny(key, "./") {
		key = "[" + key + "]"
		return path + key
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// isServerField names what the API server writes itself at every change.
func isServerField(path string) bool {
	switch path {
	case "status", "metadata.managedFields", "metadata.resourceVersion", "metadata.generation",
		"metadata.uid", "metadata.creationTimestamp":
		return true
	}
	return false
}

// missingText is the drift of an object that is not in the cluster.
const missingText = "missing"

// driftText is how a finding reads in the `drift` output; empty when there is nothing.
func (f finding) driftText() string {
	switch {
	case f.err != nil && isAbsent(f.err), f.action == ssa.CreatedAction:
		return missingText
	case f.err != nil:
		return "cannot be compared: " + f.err.Error()
	case f.action == ssa.ConfiguredAction:
		return "changed fields: " + f.fieldText()
	}
	return ""
}

func (f finding) fieldText() string {
	shown := f.fields[:min(len(f.fields), maxFields)]
	text := strings.Join(shown, ", ")
	if more := len(f.fields) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
