// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// keyOf is the key of an object in `objects`, the inventory and drift:
// apiVersion/kind/namespace/name, without the namespace when the object has none.
func keyOf(apiVersion, kind, namespace, name string) string {
	parts := []string{apiVersion, kind}
	if namespace != "" {
		parts = append(parts, namespace)
	}
	return strings.Join(append(parts, name), "/")
}

func keyOfObject(o *unstructured.Unstructured) string {
	return keyOf(o.GetAPIVersion(), o.GetKind(), o.GetNamespace(), o.GetName())
}

// subject is how messages name an object: "Deployment kube-system/coredns".
func subject(o *unstructured.Unstructured) string {
	if ns := o.GetNamespace(); ns != "" {
		return o.GetKind() + " " + ns + "/" + o.GetName()
	}
	return o.GetKind() + " " + o.GetName()
}

// builtinGroups are the API groups that every cluster serves. Objects of any other group
// are instances of a CustomResourceDefinition, so an operator may hold a finalizer on them.
func isBuiltinGroup(group string) bool {
	switch group {
	case "", "apps", "batch", "autoscaling", "policy",
		"admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io",
		"authentication.k8s.io", "authorization.k8s.io", "certificates.k8s.io", "coordination.k8s.io",
		"discovery.k8s.io", "events.k8s.io", "flowcontrol.apiserver.k8s.io", "networking.k8s.io",
		"node.k8s.io", "rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io":
		return true
	}
	return false
}

// isClusterScoped says, for a kind of a built-in group, whether it lives outside namespaces.
// It lets a wrong or missing metadata.namespace be refused before there is a cluster.
func isClusterScoped(gk schema.GroupKind) bool {
	switch gk.Group {
	case "":
		return gk.Kind == "Namespace" || gk.Kind == "Node" || gk.Kind == "PersistentVolume"
	case "rbac.authorization.k8s.io":
		return strings.HasPrefix(gk.Kind, "Cluster")
	case "networking.k8s.io":
		return gk.Kind == "IngressClass" || gk.Kind == "IPAddress" || gk.Kind == "ServiceCIDR"
	case "storage.k8s.io":
		return gk.Kind != "CSIStorageCapacity"
	case "resource.k8s.io":
		return gk.Kind == "DeviceClass" || gk.Kind == "ResourceSlice" || gk.Kind == "DeviceTaintRule"
	case "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io",
		"certificates.k8s.io", "flowcontrol.apiserver.k8s.io", "node.k8s.io", "scheduling.k8s.io":
		return true
	}
	return false
}

// isProtectedNamespace names the namespaces that the API server itself refuses to delete.
func isProtectedNamespace(o *unstructured.Unstructured) bool {
	if o.GetKind() != "Namespace" || o.GetAPIVersion() != "v1" {
		return false
	}
	switch o.GetName() {
	case "default", "kube-system", "kube-public", "kube-node-lease":
		return true
	}
	return false
}
