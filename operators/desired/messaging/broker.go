// SPDX-License-Identifier: Apache-2.0

package messaging

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
)

// BrokerGVK of a RabbitmqCluster. Objects are unstructured, as the operator's Go types
// need other Kubernetes libraries than the rest of this repository.
var BrokerGVK = schema.GroupVersionKind{Group: "rabbitmq.com", Version: "v1beta1", Kind: "RabbitmqCluster"}

const (
	mebibyte = int64(1) << 20
	// brokerGrace in seconds bounds how long a node may take to hand over its queues. The
	// operator's default is a week, which would hold a drain for as long.
	brokerGrace = 120
	// tickTime in seconds after which a silent node counts as down; by default a minute, in
	// which every queue that it led stands still.
	tickTime = 20
	// startupSeconds that a node has to find its peers and to be in a cluster of the whole size, before it is restarted.
	startupSeconds = 600
)

// BrokerCluster is RabbitMQ: quorum queues, TLS to clients and between nodes, one node per
// host. It holds references only; the ledger can fill it again.
func BrokerCluster(m *api.MessagingService) *unstructured.Unstructured {
	b := m.Spec.Broker
	persistence := map[string]any{"storage": b.Storage.Size.String()}
	if b.Storage.StorageClass != "" {
		persistence["storageClassName"] = b.Storage.StorageClass
	}
	u := &unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{
			"image":       string(b.Image),
			"replicas":    int64(b.Members()),
			"persistence": persistence,
			// The operator wants requests and limits alike for memory.
			"resources": map[string]any{
				"requests": map[string]any{"cpu": b.Resources.CPU.String(), "memory": b.Resources.Memory.String()},
				"limits":   map[string]any{"memory": b.Resources.Memory.String()},
			},
			"terminationGracePeriodSeconds": int64(brokerGrace),
			"tls":                           map[string]any{"secretName": brokerSecret(m), "disableNonTLSListeners": true},
			"affinity":                      brokerAffinity(m),
			"rabbitmq": map[string]any{
				"additionalConfig": brokerConfig(b),
				"advancedConfig":   fmt.Sprintf("[{kernel, [{net_ticktime, %d}]}].\n", tickTime),
				"envConfig":        brokerEnvironment,
			},
			"override": map[string]any{"statefulSet": map[string]any{"spec": map[string]any{"template": map[string]any{
				"metadata": map[string]any{"labels": stringMap(Labels(m, Broker))},
				"spec":     brokerPod(m),
			}}}},
		},
	}}
	u.SetGroupVersionKind(BrokerGVK)
	u.SetName(BrokerName(m))
	u.SetNamespace(m.Namespace)
	u.SetLabels(Labels(m, Broker))
	return u
}

// brokerConfig is rabbitmq.conf, beside what the operator writes itself.
func brokerConfig(b common.BrokerSpec) string {
	memory, disk := b.Resources.Memory.Value(), b.Storage.Size.Value()
	return strings.Join([]string{
		"default_queue_type = quorum",
		"queue_leader_locator = balanced",
		"ssl_options.versions.1 = tlsv1.3",
		"ssl_options.versions.2 = tlsv1.2",
		// A publisher is slowed down while there is still memory and disk to serve consumers.
		"vm_memory_high_watermark.relative = 0.6",
		fmt.Sprintf("disk_free_limit.absolute = %d", max(disk/5, 64*mebibyte)),
		// The log of quorum queues is held in memory several times over until it is rolled:
		// the default of 512 MiB would be all that a small node has.
		fmt.Sprintf("raft.wal_max_size_bytes = %d", min(max(memory/16, 16*mebibyte), 256*mebibyte)),
		"heartbeat = 15",
		// A new node looks for its peers as long as its startup probe lets it, rather than for half a minute, after
		// which it would go on alone for good: hosts may be slow to start its peers.
		fmt.Sprintf("cluster_formation.discovery_retry_limit = %d", startupSeconds),
		"cluster_formation.discovery_retry_interval = 1000",
		// A member that had to begin anew gets its replicas of the queues back.
		"quorum_queue.continuous_membership_reconciliation.enabled = true",
		fmt.Sprintf("quorum_queue.continuous_membership_reconciliation.target_group_size = %d", b.Members()),
		// Every connection would be worth two lines otherwise.
		"log.console.level = warning",
		"",
	}, "\n")
}

// brokerEnvironment: nodes speak TLS among each other, too, and schedulers do not spin
// while they wait, as small hosts have other work to do.
const brokerEnvironment = `SERVER_ADDITIONAL_ERL_ARGS="+sbwt none +sbwtdcpu none +sbwtdio none -proto_dist inet_tls -ssl_dist_optfile /etc/rabbitmq/inter-node-tls.config"
RABBITMQ_CTL_ERL_ARGS="-proto_dist inet_tls -ssl_dist_optfile /etc/rabbitmq/inter-node-tls.config"
`

const interNodeKey = "inter-node-tls.config"

// interNodeTLS has both ends of a connection between nodes present their certificate. The
// name in it is a wildcard over the nodes, which only the rule for HTTPS accepts.
const interNodeTLS = `[
  {server, [
    {cacertfile, "/etc/rabbitmq/inter-node/ca.crt"},
    {certfile, "/etc/rabbitmq/inter-node/tls.crt"},
    {keyfile, "/etc/rabbitmq/inter-node/tls.key"},
    {verify, verify_peer},
    {fail_if_no_peer_cert, true}
  ]},
  {client, [
    {cacertfile, "/etc/rabbitmq/inter-node/ca.crt"},
    {certfile, "/etc/rabbitmq/inter-node/tls.crt"},
    {keyfile, "/etc/rabbitmq/inter-node/tls.key"},
    {verify, verify_peer},
    {customize_hostname_check, [{match_fun, public_key:pkix_verify_hostname_match_fun(https)}]}
  ]}
].
`

// BrokerFiles is the ConfigMap that nodes read their TLS settings from.
func BrokerFiles(m *api.MessagingService) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: meta(m, BrokerName(m)+"-files", Broker),
		Data:       map[string]string{interNodeKey: interNodeTLS},
	}
}

// BrokerBudget lets an eviction take one node at a time.
func BrokerBudget(m *api.MessagingService) *policyv1.PodDisruptionBudget {
	return budget(m, BrokerName(m), Broker)
}

func budget(m *api.MessagingService, name, part string) *policyv1.PodDisruptionBudget {
	return &policyv1.PodDisruptionBudget{
		TypeMeta:   metav1.TypeMeta{APIVersion: "policy/v1", Kind: "PodDisruptionBudget"},
		ObjectMeta: meta(m, name, part),
		Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable: ptr.To(intstr.FromInt32(1)),
			Selector:       &metav1.LabelSelector{MatchLabels: Selector(m, part)},
			// A pod that is not ready gives nothing that an eviction could take: it must not keep
			// a broken host from being drained.
			UnhealthyPodEvictionPolicy: ptr.To(policyv1.AlwaysAllow),
		},
	}
}
