// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// object checks one entry of `objects`. Values that are not known yet are passed over:
// the engine checks again when they are. seen maps an object's identity, whatever its
// API version, to the key under which it was met.
func (c *checker) object(key string, v property.Value, seen map[string]string) {
	field := fmt.Sprintf("objects[%q]", key)
	if v.IsComputed() {
		return
	}
	if !v.IsMap() {
		c.failf(field, "expected a Kubernetes object with apiVersion, kind and metadata")
		return
	}
	o := v.AsMap()
	meta := o.Get("metadata")
	if !meta.IsMap() && !meta.IsComputed() {
		c.failf(field+".metadata", "is required, with a name")
		return
	}
	known := meta.IsMap()
	var id struct{ apiVersion, kind, namespace, name string }
	get := func(m property.Map, k, path string, required bool, into *string) {
		switch v := m.Get(k); {
		case v.IsComputed():
			known = false
		case v.IsString() && (v.AsString() != "" || !required):
			*into = v.AsString()
		case v.IsNull() && !required:
		default:
			known = false
			c.failf(field+"."+path, "expected a non-empty string")
		}
	}
	get(o, "apiVersion", "apiVersion", true, &id.apiVersion)
	get(o, "kind", "kind", true, &id.kind)
	if meta.IsMap() {
		get(meta.AsMap(), "name", "metadata.name", true, &id.name)
		get(meta.AsMap(), "namespace", "metadata.namespace", false, &id.namespace)
		for _, k := range []string{"managedFields", "resourceVersion", "uid", "generateName"} {
			if !meta.AsMap().Get(k).IsNull() {
				c.failf(field+".metadata."+k, "belongs to the API server: remove it")
			}
		}
	}
	if !known {
		return
	}
	if strings.HasSuffix(id.kind, "List") && !o.Get("items").IsNull() {
		c.failf(field, "is a list: give each item its own key")
		return
	}
	gv, err := schema.ParseGroupVersion(id.apiVersion)
	if err != nil || gv.Version == "" {
		c.failf(field+".apiVersion", "%q is not an API version: expected version or group/version", id.apiVersion)
		return
	}
	c.scope(field, gv.WithKind(id.kind).GroupKind(), id.namespace)
	if want := keyOf(id.apiVersion, id.kind, id.namespace, id.name); key != want {
		c.failf(field, "the key does not match the object: expected %q", want)
		return
	}
	identity := keyOf(gv.Group, id.kind, id.namespace, id.name)
	if other, ok := seen[identity]; ok {
		c.failf(field, "is the same object as objects[%q], in another API version: keep one", other)
	}
	seen[identity] = key
}

func (c *checker) scope(field string, gk schema.GroupKind, namespace string) {
	if !isBuiltinGroup(gk.Group) {
		return
	}
	switch clusterScoped := isClusterScoped(gk); {
	case clusterScoped && namespace != "":
		c.failf(field+".metadata.namespace", "a %s lives outside namespaces: remove it", gk.Kind)
	case !clusterScoped && namespace == "":
		c.failf(field+".metadata.namespace", "is required for a %s", gk.Kind)
	}
}
