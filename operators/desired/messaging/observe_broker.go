// SPDX-License-Identifier: Apache-2.0

package messaging

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// BrokerState is how a RabbitmqCluster is.
type BrokerState struct {
	// Known is false until the operator made the nodes; counts mean nothing then.
	Known bool
	// Desired and Ready count nodes.
	Desired, Ready int32
	// Available says whether a majority of the nodes is ready.
	Available bool
	// Changing says whether the operator, or the StatefulSet, has not finished a change.
	Changing bool
	// Detail is what the operator says when it cannot go on.
	Detail string
}

// ServerName of the StatefulSet behind a RabbitmqCluster.
func ServerName(broker string) string { return broker + "-server" }

// VolumeName is the claim of a node, by the name of its pod.
func VolumeName(node string) string { return "persistence-" + node }

// ObserveBroker reads the state of a RabbitmqCluster and of its StatefulSet, either of
// which may be nil.
func ObserveBroker(cluster *unstructured.Unstructured, nodes *appsv1.StatefulSet) BrokerState {
	var s BrokerState
	if cluster == nil {
		return s
	}
	n, _, _ := unstructured.NestedInt64(cluster.Object, "spec", "replicas")
	s.Desired = int32(n)
	if nodes == nil {
		return s
	}
	observed, _, _ := unstructured.NestedInt64(cluster.Object, "status", "observedGeneration")
	s.Known = true
	s.Ready = nodes.Status.ReadyReplicas
	s.Available = s.Ready > s.Desired/2
	s.Changing = observed != cluster.GetGeneration() ||
		nodes.Status.ObservedGeneration != nodes.Generation ||
		nodes.Status.UpdatedReplicas < s.Desired || nodes.Status.CurrentRevision != nodes.Status.UpdateRevision
	if c := condition(cluster, "ReconcileSuccess"); c["status"] == "False" {
		s.Detail = strings.TrimSpace(c["reason"] + " " + c["message"])
	}
	return s
}

func condition(u *unstructured.Unstructured, kind string) map[string]string {
	out := map[string]string{}
	list, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, item := range list {
		c, _ := item.(map[string]any)
		if c["type"] != kind {
			continue
		}
		for k, v := range c {
			if text, ok := v.(string); ok {
				out[k] = text
			}
		}
	}
	return out
}
