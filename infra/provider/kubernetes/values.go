// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"encoding/base64"
	"fmt"
	"math"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// set is what one Manifests resource asks for, decoded from its inputs or its state.
type set struct {
	name, namespace, kubeconfig string
	waitSeconds                 int
	objects                     map[string]*unstructured.Unstructured
	// unknown lists the keys of objects with a value that is not known yet. It is empty
	// outside previews. Such objects are not in `objects`.
	unknown []string
	// kubeconfigKnown is false in a preview whose cluster does not exist yet.
	kubeconfigKnown bool
}

// decode reads checked inputs, or state, which holds the same properties.
func decode(m property.Map) (set, error) {
	s := set{
		name: stringOr(m.Get("name"), ""), namespace: stringOr(m.Get("namespace"), ""),
		kubeconfig:  stringOr(m.Get("kubeconfig"), ""),
		waitSeconds: DefaultWaitSeconds,
		objects:     map[string]*unstructured.Unstructured{},
	}
	s.kubeconfigKnown = m.Get("kubeconfig").IsString()
	if w := m.Get("waitSeconds"); w.IsNumber() {
		s.waitSeconds = int(w.AsNumber())
	}
	objects := m.Get("objects")
	if objects.IsComputed() {
		s.unknown = append(s.unknown, "objects")
		return s, nil
	}
	if !objects.IsMap() {
		return s, fmt.Errorf("objects: expected a map of Kubernetes objects; the recorded state is damaged: run `pulumi refresh`")
	}
	for key, v := range objects.AsMap().AllStable {
		if v.HasComputed() {
			s.unknown = append(s.unknown, key)
			continue
		}
		content, ok := plain(v).(map[string]any)
		if !ok {
			return s, fmt.Errorf("objects[%q]: expected a Kubernetes object", key)
		}
		o := &unstructured.Unstructured{Object: content}
		// The API server owns status; what generators leave there would only be refused.
		unstructured.RemoveNestedField(o.Object, "status")
		unstructured.RemoveNestedField(o.Object, "metadata", "creationTimestamp")
		encodeStringData(o)
		s.objects[key] = o
	}
	return s, nil
}

// list returns copies of the objects, by key: the applying library changes what it gets.
func (s set) list() []*unstructured.Unstructured {
	out := make([]*unstructured.Unstructured, 0, len(s.objects))
	for _, k := range sortedKeys(s.objects) {
		out = append(out, s.objects[k].DeepCopy())
	}
	return out
}

// encodeStringData moves a Secret's stringData to data, as the API server would: it never
// returns stringData, which would then look changed forever.
func encodeStringData(o *unstructured.Unstructured) {
	if o.GetAPIVersion() != "v1" || o.GetKind() != "Secret" {
		return
	}
	text, _, err := unstructured.NestedStringMap(o.Object, "stringData")
	if err != nil {
		return // not a map of strings: the API server's refusal names the field
	}
	for k, v := range text {
		encoded := base64.StdEncoding.EncodeToString([]byte(v))
		if err := unstructured.SetNestedField(o.Object, encoded, "data", k); err != nil {
			return
		}
	}
	unstructured.RemoveNestedField(o.Object, "stringData")
}

// stringOr returns the string in v, secret or not, or the fallback when v is something else.
func stringOr(v property.Value, fallback string) string {
	if v.IsString() {
		return v.AsString()
	}
	return fallback
}

// plain strips secret marks and turns v into the types that client-go works on: whole
// numbers are int64, as the API's integer fields want them.
func plain(v property.Value) any {
	switch {
	case v.IsBool():
		return v.AsBool()
	case v.IsString():
		return v.AsString()
	case v.IsNumber():
		f := v.AsNumber()
		if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return int64(f)
		}
		return f
	case v.IsArray():
		arr := v.AsArray()
		out := make([]any, 0, arr.Len())
		for _, e := range arr.All {
			out = append(out, plain(e))
		}
		return out
	case v.IsMap():
		out := make(map[string]any, v.AsMap().Len())
		for k, e := range v.AsMap().All {
			out[k] = plain(e)
		}
		return out
	}
	return nil
}
