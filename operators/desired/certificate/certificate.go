// SPDX-License-Identifier: Apache-2.0

// Package certificate builds the Certificates of the services, which
// cert-manager signs and renews.
//
// Objects are unstructured: cert-manager's Go types require newer Kubernetes
// libraries than the rest of this repository is built with.
package certificate

import (
	"maps"
	"net"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GVK of a Certificate.
var GVK = schema.GroupVersionKind{Group: "cert-manager.io", Version: "v1", Kind: "Certificate"}

// Lifetimes: a certificate that leaks is good for a quarter of a year at most,
// and a month passes between the first attempt to renew one and its end.
const (
	lifetime    = "2160h"
	renewBefore = "720h"
)

// Usage says what a certificate is shown for.
type Usage string

const (
	// Server is shown to clients that connect.
	Server Usage = "server auth"
	// Client is shown to servers that are connected to.
	Client Usage = "client auth"
)

// Args describe a Certificate.
type Args struct {
	// Name of the Certificate and of the Secret (tls.crt, tls.key, ca.crt) that holds it.
	Name, Namespace string
	// Labels of the Certificate and of the Secret.
	Labels map[string]string
	// Issuer is the ClusterIssuer that signs it.
	Issuer string
	// CommonName of the subject; at most 64 characters. Empty for servers.
	CommonName string
	// Names are DNS names and IP addresses that it is good for.
	Names []string
	// Usages of the key, one or more.
	Usages []Usage
}

// New is a Certificate with a key of its own, made anew at each renewal.
func New(a Args) *unstructured.Unstructured {
	spec := map[string]any{
		"secretName":     a.Name,
		"secretTemplate": map[string]any{"labels": anyMap(a.Labels)},
		"issuerRef":      map[string]any{"group": GVK.Group, "kind": "ClusterIssuer", "name": a.Issuer},
		"duration":       lifetime,
		"renewBefore":    renewBefore,
		"privateKey":     map[string]any{"algorithm": "ECDSA", "size": int64(256), "rotationPolicy": "Always"},
		"usages":         usages(a.Usages),
		// Old requests are of no use, and each renewal leaves one.
		"revisionHistoryLimit": int64(2),
	}
	if a.CommonName != "" {
		spec["commonName"] = a.CommonName
	}
	var names, addresses []any
	for _, n := range a.Names {
		if net.ParseIP(n) != nil {
			addresses = append(addresses, n)
		} else {
			names = append(names, n)
		}
	}
	if names != nil {
		spec["dnsNames"] = names
	}
	if addresses != nil {
		spec["ipAddresses"] = addresses
	}
	u := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	u.SetGroupVersionKind(GVK)
	u.SetName(a.Name)
	u.SetNamespace(a.Namespace)
	u.SetLabels(maps.Clone(a.Labels))
	return u
}

// ServiceNames are the names under which a Service is reached inside the cluster.
func ServiceNames(service, namespace string) []string {
	return []string{
		service, service + "." + namespace, service + "." + namespace + ".svc",
		service + "." + namespace + ".svc.cluster.local",
	}
}

func usages(in []Usage) []any {
	out := []any{"digital signature"}
	for _, u := range in {
		out = append(out, string(u))
	}
	return out
}

func anyMap(in map[string]string) map[string]any {
	out := make(map[string]any, len(in))
	for k, v := range in {
		out[k] = v
	}
	return out
}
