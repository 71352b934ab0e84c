// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"slices"

	"spine.nhs.uk/controlplane/infra/policy"
)

// closedNamespaces asks each namespace that the stack makes for a policy that selects
// all its pods and lets nothing in.
func closedNamespaces(s policy.Stack) []policy.Finding {
	closed := map[string]bool{}
	for o := range all(s) {
		if o.kind != "NetworkPolicy" {
			continue
		}
		selector := o.At("spec", "podSelector")
		everyPod := selector.Value != nil && len(asMap(selector)) == 0
		if everyPod && slices.Contains(texts(o.At("spec", "policyTypes")), "Ingress") && len(o.At("spec", "ingress").Items()) == 0 {
			closed[o.namespace] = true
		}
	}
	var found []policy.Finding
	for o := range all(s) {
		if o.kind == "Namespace" && !closed[o.name] {
			found = append(found, o.found(o.Node, "no NetworkPolicy closes the namespace %s", o.name))
		}
	}
	return found
}

func asMap(n policy.Node) map[string]any {
	m, _ := n.Value.(map[string]any)
	return m
}

func podSecurity(o object) []policy.Finding {
	wanted := []string{"restricted"}
	if _, known := hostNamespaces[o.name]; known {
		wanted = append(wanted, "baseline", "privileged")
	}
	return policy.Unmet(o.At("metadata", "labels"), policy.OneOf(wanted, "pod-security.kubernetes.io/enforce"))
}

// edgeClass is served by our own manager, which gives the site's edge address.
const edgeClass = "spine.nhs.uk/edge"

func exposure(o object) []policy.Finding {
	spec := o.At("spec")
	var found []policy.Finding
	switch spec.At("type").Text() {
	case "NodePort":
		found = append(found, spec.At("type").Found("NodePort opens a port on every host"))
	case "LoadBalancer":
		found = append(found, policy.Unmet(spec, policy.OneOf([]string{edgeClass}, "loadBalancerClass"))...)
	}
	if external := spec.At("externalIPs"); len(external.Items()) > 0 {
		found = append(found, external.Found("externalIPs take addresses that may be another's"))
	}
	return found
}
