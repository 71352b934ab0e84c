// SPDX-License-Identifier: Apache-2.0

// Package kubernetes is the rules over Kubernetes objects inside
// spine:kubernetes:Manifests. Paths of findings begin with the object:
// objects["apps/v1/Deployment/kube-system/coredns"].spec.replicas.
package kubernetes

import (
	"iter"
	"slices"

	"spine.nhs.uk/controlplane/infra/policy"
)

const manifests = "spine:kubernetes:Manifests"

// object is one Kubernetes object.
type object struct {
	policy.Node
	urn                   string // of the Manifests that it is in
	kind, namespace, name string
}

// id names the object among others: Deployment/kube-system/coredns.
func (o object) id() string { return o.kind + "/" + o.namespace + "/" + o.name }

// objects are those of one set, in the order of their keys.
func objects(r policy.Resource) iter.Seq[object] {
	return func(yield func(object) bool) {
		for _, n := range r.Input("objects").Fields() {
			meta := n.At("metadata")
			o := object{
				Node: n, urn: r.URN, kind: n.At("kind").Text(),
				namespace: meta.At("namespace").Text(), name: meta.At("name").Text(),
			}
			if !yield(o) {
				return
			}
		}
	}
}

// all are the objects of all sets that stay.
func all(s policy.Stack) iter.Seq[object] {
	return func(yield func(object) bool) {
		for _, r := range s.Resources {
			if r.Type != manifests || r.Goes() {
				continue
			}
			for o := range objects(r) {
				if !yield(o) {
					return
				}
			}
		}
	}
}

// eachObject makes a rule's Check of one over objects of some kinds; none means all.
func eachObject(check func(object) []policy.Finding, kinds ...string) func(policy.Resource, policy.Environment) []policy.Finding {
	return func(r policy.Resource, _ policy.Environment) []policy.Finding {
		var found []policy.Finding
		for o := range objects(r) {
			if len(kinds) > 0 && !slices.Contains(kinds, o.kind) {
				continue
			}
			found = append(found, check(o)...)
		}
		return found
	}
}

// found is a finding of a stack-wide rule at a node of the object.
func (o object) found(at policy.Node, format string, args ...any) policy.Finding {
	f := at.Found(format, args...)
	f.URN = o.urn
	return f
}

// pod is the specification of the pods that an object makes; missing when it makes
// none.
func (o object) pod() policy.Node {
	switch o.kind {
	case "Pod":
		return o.At("spec")
	case "Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "Job":
		return o.At("spec", "template", "spec")
	case "CronJob":
		return o.At("spec", "jobTemplate", "spec", "template", "spec")
	}
	return policy.Node{}
}

// eachPod makes a rule's Check of one over pods.
func eachPod(check func(o object, pod policy.Node) []policy.Finding) func(policy.Resource, policy.Environment) []policy.Finding {
	return eachObject(func(o object) []policy.Finding {
		if pod := o.pod(); !pod.Missing() {
			return check(o, pod)
		}
		return nil
	})
}

// containers are all of a pod.
func containers(pod policy.Node) []policy.Node {
	list := append(pod.At("initContainers").Items(), pod.At("containers").Items()...)
	return append(list, pod.At("ephemeralContainers").Items()...)
}
