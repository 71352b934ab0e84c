// SPDX-License-Identifier: Apache-2.0

package messaging

import (
	"net/url"
	"slices"
	"strconv"

	networkingv1 "k8s.io/api/networking/v1"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/network"
)

// NetworkPolicies close the namespace and open each way that the service needs.
func NetworkPolicies(m *api.MessagingService) []*networkingv1.NetworkPolicy {
	gateway := Selector(m, Gateway)
	out := []*networkingv1.NetworkPolicy{network.DefaultDeny(meta(m, m.Name+"-deny", "network"))}
	toDatabase := network.Rule{Peers: network.Pods(Selector(m, Database)), Ports: network.TCP(postgresPort)}
	if e := m.Spec.Database.Endpoint; e != nil {
		toDatabase = network.ToEndpoint(e.EngineEndpoint, e.Port)
	} else {
		out = append(out, databasePolicy(m))
	}
	toBroker := network.Rule{Peers: network.Pods(Selector(m, Broker)), Ports: network.TCP(amqpsPort)}
	if e := m.Spec.Broker.Endpoint; e != nil {
		toBroker = network.ToEndpoint(e.EngineEndpoint, e.Port)
	} else {
		out = append(out, brokerPolicy(m))
	}
	return append(out,
		network.Policy(meta(m, GatewayName(m), Gateway), gateway,
			append([]network.Rule{
				{Ports: network.TCP(meshPort, bulkPort)}, // clients come through the edge from anywhere, by certificate
				{Peers: network.PodsIn("spine-system", map[string]string{"app.kubernetes.io/name": "spine-manager"}), Ports: network.TCP(opsPort)},
			}, network.FromPeer(m.Spec.Site, opsPort)...),
			append([]network.Rule{
				toDatabase,
				toBroker,
				network.DNS(),
			}, endpoints(m)...)))
}

// databasePolicy opens the instances to the gateways, to each other and to their operator.
func databasePolicy(m *api.MessagingService) *networkingv1.NetworkPolicy {
	return databasePolicyOf(m, DatabaseName(m))
}

func databasePolicyOf(m *api.MessagingService, cluster string) *networkingv1.NetworkPolicy {
	database, gateway := map[string]string{"cnpg.io/cluster": cluster}, Selector(m, Gateway)
	return network.Policy(meta(m, cluster, Database), database,
		append([]network.Rule{
			{Peers: network.Pods(gateway), Ports: network.TCP(postgresPort)},
			{Peers: network.Pods(database), Ports: network.TCP(postgresPort, cnpgStatusPort)},
			{Peers: network.PodsIn("cnpg-system", map[string]string{"app.kubernetes.io/name": "cloudnative-pg"}), Ports: network.TCP(cnpgStatusPort)},
		}, network.FromPeer(m.Spec.Site, postgresPort)...),
		append([]network.Rule{
			{Peers: network.Pods(database), Ports: network.TCP(postgresPort, cnpgStatusPort)},
			network.DNS(),
			network.KubeAPI(), // the instance manager reads its Cluster and reports to it
		}, append(network.ToPeer(m.Spec.Site), network.ToStore(m.Spec.Database.Backup)...)...))
}

// brokerPolicy opens the nodes to the gateways and to each other.
func brokerPolicy(m *api.MessagingService) *networkingv1.NetworkPolicy {
	broker, gateway := Selector(m, Broker), Selector(m, Gateway)
	// Distribution between broker nodes: the port mapper, the nodes, and the command line tools.
	between := append(network.TCP(4369, 25672), network.TCPRange(35672, 35682)...)
	return network.Policy(meta(m, BrokerName(m), Broker), broker,
		[]network.Rule{
			{Peers: network.Pods(gateway), Ports: network.TCP(amqpsPort)},
			{Peers: network.Pods(broker), Ports: between},
		},
		[]network.Rule{
			{Peers: network.Pods(broker), Ports: between},
			network.DNS(),
			network.KubeAPI(), // nodes find each other through the API
		})
}

// endpoints opens the way to the ports of the endpoints that routes name. They are
// anywhere, and known by their certificates.
func endpoints(m *api.MessagingService) []network.Rule {
	var ports []int32
	for _, r := range m.Spec.Routes {
		u, err := url.Parse(r.Endpoint)
		if r.Endpoint == "" || err != nil {
			continue
		}
		p := int64(443)
		if u.Port() != "" {
			if p, err = strconv.ParseInt(u.Port(), 10, 32); err != nil || p < 1 || p > 65535 {
				continue // the gateway reports an endpoint that cannot be
			}
		}
		if !slices.Contains(ports, int32(p)) {
			ports = append(ports, int32(p))
		}
	}
	if len(ports) == 0 {
		return nil
	}
	slices.Sort(ports)
	return []network.Rule{{Ports: network.TCP(ports...)}}
}
