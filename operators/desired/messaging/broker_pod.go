// SPDX-License-Identifier: Apache-2.0

package messaging

import (
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
)

func brokerAffinity(m *api.MessagingService) map[string]any {
	return map[string]any{"podAntiAffinity": map[string]any{
		"requiredDuringSchedulingIgnoredDuringExecution": []any{map[string]any{
			"topologyKey":   m.Spec.Topology.HostKey,
			"labelSelector": map[string]any{"matchLabels": stringMap(Selector(m, Broker))},
		}},
	}}
}

// brokerPod is merged into the pods that the operator makes.
func brokerPod(m *api.MessagingService) map[string]any {
	return map[string]any{
		// With fewer than three racks no more than one node goes into each.
		"topologySpreadConstraints": []any{map[string]any{
			"topologyKey":       m.Spec.Topology.RackKey,
			"maxSkew":           int64(1),
			"minDomains":        int64(3),
			"whenUnsatisfiable": "DoNotSchedule",
			"labelSelector":     map[string]any{"matchLabels": stringMap(Selector(m, Broker))},
		}},
		"containers": []any{map[string]any{
			"name": "rabbitmq",
			"volumeMounts": []any{
				map[string]any{"name": "inter-node", "mountPath": "/etc/rabbitmq/inter-node", "readOnly": true},
				map[string]any{"name": "inter-node-config", "mountPath": "/etc/rabbitmq/" + interNodeKey, "subPath": interNodeKey, "readOnly": true},
			},
			// The operator's own, with time enough for a command on a host that is busy starting.
			"startupProbe": map[string]any{
				"exec": map[string]any{"command": []any{"/bin/bash", "-c",
					"rabbitmqctl eval 'rabbit_nodes:reached_target_cluster_size().' | grep -q '^true$'"}},
				"initialDelaySeconds": int64(10), "periodSeconds": int64(10), "timeoutSeconds": int64(30), "failureThreshold": int64(60),
			},
		}},
		"volumes": []any{
			map[string]any{"name": "inter-node", "secret": map[string]any{"secretName": brokerSecret(m), "defaultMode": int64(0o440)}},
			map[string]any{"name": "inter-node-config", "configMap": map[string]any{"name": BrokerName(m) + "-files"}},
		},
	}
}

func stringMap(in map[string]string) map[string]any {
	out := make(map[string]any, len(in))
	for k, v := range in {
		out[k] = v
	}
	return out
}
