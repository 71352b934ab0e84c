// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"bytes"
	"context"
	"reflect"
	"slices"

	p "github.com/pulumi/pulumi-go-provider"
	pulumiresource "github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"k8s.io/client-go/tools/clientcmd"
)

// Diff compares the recorded inputs with the new ones, field by field, and adds what the
// last refresh found changed by others. Only another cluster replaces a set: a new name or
// namespace moves the inventory and leaves the objects running.
func (r *resource) Diff(_ context.Context, req p.DiffRequest) (p.DiffResponse, error) {
	old, inputs := inputsOf(req.State), inputsOf(req.Inputs)
	detailed := map[string]p.PropertyDiff{}
	diffMaps(nil, old, inputs, detailed)
	resp := p.DiffResponse{DetailedDiff: detailed}
	if otherCluster(old.Get("kubeconfig"), inputs.Get("kubeconfig")) {
		detailed["kubeconfig"] = p.PropertyDiff{Kind: p.UpdateReplace, InputDiff: true}
	}
	if drift := req.State.Get("drift"); drift.IsMap() {
		for key := range drift.AsMap().AllStable {
			path := pulumiresource.PropertyPath{"drift", key}.String()
			detailed[path] = p.PropertyDiff{Kind: p.Delete}
		}
	}
	resp.HasChanges = len(detailed) > 0
	return resp, nil
}

// inputsOf keeps the input properties of m, which may be state.
func inputsOf(m property.Map) property.Map {
	out := map[string]property.Value{}
	for _, k := range []string{"name", "namespace", "kubeconfig", "objects", "waitSeconds"} {
		if v, ok := m.GetOk(k); ok && !v.IsNull() {
			out[k] = v
		}
	}
	return property.NewMap(out)
}

// diffMaps adds each path at which the two differ. The engine's own comparison takes a
// value that is not known yet for unchanged; here it may change.
func diffMaps(path pulumiresource.PropertyPath, old, inputs property.Map, out map[string]p.PropertyDiff) {
	for k, v := range old.AllStable {
		diffValues(child(path, k), v, inputs.Get(k), out)
	}
	for k, v := range inputs.AllStable {
		if _, ok := old.GetOk(k); !ok {
			diffValues(child(path, k), property.Value{}, v, out)
		}
	}
}

func diffValues(path pulumiresource.PropertyPath, old, inputs property.Value, out map[string]p.PropertyDiff) {
	set := func(kind p.DiffKind) { out[path.String()] = p.PropertyDiff{Kind: kind, InputDiff: true} }
	switch {
	case old.IsNull() && inputs.IsNull():
	case old.IsNull():
		set(p.Add)
	case inputs.IsNull():
		set(p.Delete)
	case old.IsMap() && inputs.IsMap():
		diffMaps(path, old.AsMap(), inputs.AsMap(), out)
	case old.IsArray() && inputs.IsArray():
		a, b := old.AsArray(), inputs.AsArray()
		for i := range max(a.Len(), b.Len()) {
			diffValues(child(path, i), at(a, i), at(b, i), out)
		}
	case inputs.HasComputed() || !reflect.DeepEqual(plain(old), plain(inputs)):
		set(p.Update)
	}
}

// child returns the path one step further, in memory of its own.
func child(path pulumiresource.PropertyPath, step any) pulumiresource.PropertyPath {
	return append(slices.Clone(path), step)
}

func at(a property.Array, i int) property.Value {
	if i < a.Len() {
		return a.Get(i)
	}
	return property.Value{}
}

// otherCluster says whether two kubeconfigs are known to reach different clusters: their
// certificate authorities differ. Renewed client credentials or another address of the
// same cluster do not count; neither does a kubeconfig that is not known yet.
func otherCluster(old, inputs property.Value) bool {
	a, b := authorityOf(old), authorityOf(inputs)
	return len(a) > 0 && len(b) > 0 && !bytes.Equal(a, b)
}

func authorityOf(v property.Value) []byte {
	if !v.IsString() {
		return nil
	}
	cfg, err := clientcmd.RESTConfigFromKubeConfig([]byte(v.AsString()))
	if err != nil {
		return nil
	}
	return bytes.TrimSpace(cfg.CAData)
}
