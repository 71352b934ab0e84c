// SPDX-License-Identifier: Apache-2.0

package messaging

import (
	"fmt"

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

// brokerData is where the operator mounts a node's volume.
const brokerData = "/var/lib/rabbitmq/mnesia"

// brokerEntry starts a node on the volume at $1, with peers at the rest of its arguments. New nodes that could not reach
// each other in time, or one of them half way, stay apart for good: each has a database that says so. A node that was
// never in a cluster of its whole size was never ready, so nothing is in it that anybody relies on, and it begins anew.
// Its mark is taken away by the startup probe, which restarts a node that does not get that far. A node with nothing,
// also one that lost its volume, is not let in by peers that have it for a member: they forget it first.
const brokerEntry = `set -eu
cd "$1"
shift
if [ -e forming ]; then
  rm -rf rabbit@*
elif ! compgen -G 'rabbit@*' >/dev/null; then
  touch forming
fi
if [ -e forming ]; then
  for peer; do
    if [ "rabbit@$peer" != "$RABBITMQ_NODENAME" ] && timeout 2 bash -c "exec 3<>/dev/tcp/$peer/25672" 2>/dev/null; then
      rabbitmqctl -q -t 20 -n "rabbit@$peer" forget_cluster_node "$RABBITMQ_NODENAME" >/dev/null 2>&1 || true
    fi
  done
fi
exec rabbitmq-server
`

// brokerStarted succeeds once a node is in a cluster of its whole size and holds a replica of every queue, as far as it
// is to have one: a member that began anew counts for no redundancy before.
const brokerStarted = `at=$(rabbitmqctl eval '{rabbit_nodes:reached_target_cluster_size(), lists:all(
  fun(Q) -> lists:member(node(), rabbit_amqqueue:get_quorum_nodes(Q)) end, rabbit_amqqueue:list_by_type(quorum))}.')
case "$at" in '{true,'*) rm -f ` + brokerData + `/forming ;; esac
[ "$at" = '{true,true}' ]
`

// brokerCommand is the entry with its arguments.
func brokerCommand(m *api.MessagingService) []any {
	command := []any{"/bin/bash", "-c", brokerEntry, "rabbitmq", brokerData}
	for i := range m.Spec.Broker.Members() {
		command = append(command, fmt.Sprintf("%s-%d.%s-nodes.%s", ServerName(BrokerName(m)), i, BrokerName(m), m.Namespace))
	}
	return command
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
			"name":    "rabbitmq",
			"command": brokerCommand(m),
			"volumeMounts": []any{
				map[string]any{"name": "inter-node", "mountPath": "/etc/rabbitmq/inter-node", "readOnly": true},
				map[string]any{"name": "inter-node-config", "mountPath": "/etc/rabbitmq/" + interNodeKey, "subPath": interNodeKey, "readOnly": true},
			},
			// The operator's own, with time enough for a command on a host that is busy starting.
			"startupProbe": map[string]any{
				"exec":                map[string]any{"command": []any{"/bin/bash", "-c", brokerStarted}},
				"initialDelaySeconds": int64(10), "periodSeconds": int64(10), "timeoutSeconds": int64(30), "failureThreshold": int64(startupSeconds / 10),
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
