// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"slices"

	"spine.nhs.uk/controlplane/infra/policy"
)

// replicated says whether an object makes more than one pod that can be moved.
func replicated(o object) bool {
	return slices.Contains([]string{"Deployment", "StatefulSet", "ReplicaSet"}, o.kind) && o.At("spec", "replicas").Number() > 1
}

// budgets asks for a PodDisruptionBudget over each workload of several pods, and that
// it lets one go: none at all would hold up every drain.
func budgets(s policy.Stack) []policy.Finding {
	var list []object
	var found []policy.Finding
	for o := range all(s) {
		if o.kind != "PodDisruptionBudget" {
			continue
		}
		list = append(list, o)
		if n := o.At("spec", "maxUnavailable"); n.Value == 0.0 || n.Value == "0%" {
			found = append(found, o.found(n, "the budget lets no pod go, so that no host can be drained"))
		}
	}
	for o := range all(s) {
		if !replicated(o) {
			continue
		}
		labels := asMap(o.At("spec", "template", "metadata", "labels"))
		covered := false
		for _, b := range list {
			covered = covered || b.namespace == o.namespace && selects(asMap(b.At("spec", "selector", "matchLabels")), labels)
		}
		if !covered {
			found = append(found, o.found(o.Node, "no PodDisruptionBudget covers %s: a drain may take all its pods at once", o.id()))
		}
	}
	return found
}

// selects says whether the selector, which is not empty, fits the labels.
func selects(selector, labels map[string]any) bool {
	for key, value := range selector {
		if labels[key] != value {
			return false
		}
	}
	return len(selector) > 0
}

// spread asks workloads of several pods to keep them apart by host or rack.
func spread(o object) []policy.Finding {
	if !replicated(o) {
		return nil
	}
	pod := o.pod()
	apart := pod.At("topologySpreadConstraints")
	anti := pod.At("affinity", "podAntiAffinity")
	if len(apart.Items()) > 0 || !anti.Missing() || apart.Hidden() {
		return nil
	}
	return []policy.Finding{apart.Found("the pods of %s may all be on one host", o.id())}
}

// retained asks that volumes of a live environment outlive their claims.
func retained(r policy.Resource, in policy.Environment) []policy.Finding {
	if !in.Live() {
		return nil
	}
	return eachObject(func(o object) []policy.Finding {
		return policy.Unmet(o.Node, policy.OneOf([]string{"Retain"}, "reclaimPolicy"))
	}, "StorageClass")(r, in)
}

// inventory is where the site's manager finds the hosts' BMCs.
const inventory = "v1/Secret/spine-system/hosts"

// fencing looks for the inventory of BMCs on sites of machines.
func fencing(s policy.Stack) []policy.Finding {
	if !s.Live() {
		return nil
	}
	var cluster string
	for _, r := range s.Resources {
		switch {
		case r.Goes():
		case r.Type == "spine:baremetal:Cluster":
			cluster = r.URN
		case r.Type == manifests && !r.Input("objects", inventory).Missing():
			return nil
		}
	}
	if cluster == "" {
		return nil
	}
	return []policy.Finding{{URN: cluster, Message: "nothing on the site knows how to switch a host off"}}
}
