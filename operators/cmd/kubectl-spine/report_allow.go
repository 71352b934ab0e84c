// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// allowed is one kind that a report may hold, and which of its fields. Nothing else gets in:
// not a Secret, not a ConfigMap, no environment, no annotation. A path names a field with
// all below it; "[]" goes into each item of a list.
type allowed struct {
	gvk    schema.GroupVersionKind
	fields []string
}

var metaFields = []string{
	"apiVersion", "kind", "metadata.name", "metadata.namespace", "metadata.uid", "metadata.generation", "metadata.resourceVersion",
	"metadata.creationTimestamp", "metadata.deletionTimestamp", "metadata.finalizers",
	"metadata.ownerReferences[].kind", "metadata.ownerReferences[].name",
}

var podFields = []string{
	"spec.nodeName", "spec.containers[].name", "spec.containers[].image", "spec.containers[].resources", "status.phase", "status.reason",
	"status.conditions", "status.startTime", "status.hostIP", "status.podIP", "status.containerStatuses", "status.initContainerStatuses",
}

var allowList = []allowed{
	{kind("", "v1", "Node"), []string{
		"metadata.labels", "spec.unschedulable", "spec.taints", "status.conditions", "status.nodeInfo", "status.addresses",
		"status.capacity", "status.allocatable",
	}},
	// Specifications of our own kinds name Secrets and hold none.
	{kind("messaging.spine.nhs.uk", "v1alpha1", "MessagingService"), []string{"spec", "status"}},
	{kind("booking.ers.nhs.uk", "v1alpha1", "BookingService"), []string{"spec", "status"}},
	{kind("resilience.spine.nhs.uk", "v1alpha1", "ServiceRecovery"), []string{"spec", "status"}},
	{kind("resilience.spine.nhs.uk", "v1alpha1", "Failover"), []string{"spec", "status"}},
	{kind("resilience.spine.nhs.uk", "v1alpha1", "FailoverPolicy"), []string{"spec", "status"}},
	{kind("resilience.spine.nhs.uk", "v1alpha1", "Approval"), []string{"spec"}},
	{kind("apps", "v1", "Deployment"), []string{
		"spec.replicas", "spec.paused", "spec.template.spec.containers[].name", "spec.template.spec.containers[].image", "status",
	}},
	{kind("apps", "v1", "StatefulSet"), []string{
		"spec.replicas", "spec.template.spec.containers[].name", "spec.template.spec.containers[].image", "status",
	}},
	{kind("", "v1", "Pod"), podFields},
	{kind("", "v1", "PersistentVolumeClaim"), []string{"spec.storageClassName", "spec.volumeName", "spec.resources", "status"}},
	{kind("coordination.k8s.io", "v1", "Lease"), []string{"spec"}},
	{kind("postgresql.cnpg.io", "v1", "Cluster"), []string{
		"spec.instances", "spec.imageName", "spec.storage.size", "status.phase", "status.phaseReason", "status.conditions", "status.instances",
		"status.readyInstances", "status.currentPrimary", "status.targetPrimary", "status.currentPrimaryTimestamp", "status.instanceNames",
		"status.instancesStatus", "status.timelineID", "status.pvcCount", "status.healthyPVC", "status.danglingPVC", "status.unusablePVC",
	}},
	{kind("rabbitmq.com", "v1beta1", "RabbitmqCluster"), []string{"spec.replicas", "spec.image", "status.conditions", "status.observedGeneration"}},
	{kind("cert-manager.io", "v1", "Certificate"), []string{"spec.commonName", "spec.secretName", "status.conditions", "status.notAfter", "status.renewalTime"}},
}

func kind(group, version, kind string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: group, Version: version, Kind: kind}
}

// keep copies the allowed fields of an object, and nothing else.
func (a allowed) keep(object map[string]any) map[string]any {
	out := map[string]any{}
	for _, fields := range [][]string{metaFields, a.fields} {
		for _, f := range fields {
			copyField(out, object, strings.Split(f, "."))
		}
	}
	return out
}

// copyField copies the field at path, where it exists.
func copyField(to, from map[string]any, path []string) {
	name, list := strings.CutSuffix(path[0], "[]")
	value, ok := from[name]
	if !ok {
		return
	}
	switch {
	case list:
		items, _ := value.([]any)
		into, _ := to[name].([]any)
		if into == nil {
			into = make([]any, len(items))
			for i := range into {
				into[i] = map[string]any{}
			}
			to[name] = into
		}
		for i, item := range items {
			if m, ok := item.(map[string]any); ok {
				copyField(into[i].(map[string]any), m, path[1:])
			}
		}
	case len(path) == 1:
		to[name] = value
	default:
		below, ok := value.(map[string]any)
		if !ok {
			return
		}
		into, _ := to[name].(map[string]any)
		if into == nil {
			into = map[string]any{}
			to[name] = into
		}
		copyField(into, below, path[1:])
	}
}

// programs are those whose logs a report may hold, by a label of their pods. They are the programs that are known never to log a message: engines are
// not, as PostgreSQL logs statements.
var programs = []struct {
	namespace, label, value, container string
}{
	{systemNamespace, "app.kubernetes.io/name", "spine-manager", "manager"},
	{messagingNamespace, "spine.nhs.uk/component", "gateway", "gateway"},
	{bookingNamespace, "spine.nhs.uk/component", "service", "booking-service"},
}

// logFields of a line that get into a report. Those of requests and of people do not.
var logFields = []string{
	"time", "level", "msg", "error", "logger", "controller", "controllerGroup", "controllerKind", "namespace", "name", "reconcileID",
	"supplier", "messages", "lane", "connection", "replica", "routes", "suppliers", "services", "until", "partitions", "step", "operation",
}
