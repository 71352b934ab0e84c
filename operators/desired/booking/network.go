// SPDX-License-Identifier: Apache-2.0

package booking

import (
	networkingv1 "k8s.io/api/networking/v1"

	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	"spine.nhs.uk/controlplane/operators/desired/database"
	"spine.nhs.uk/controlplane/operators/desired/network"
)

// gatewayBulkPort is where the message gateway's pods listen, whatever port its
// Service has.
const gatewayBulkPort = 8444

// NetworkPolicies close the namespace and open each way that the service needs.
func NetworkPolicies(b *booking.BookingService) []*networkingv1.NetworkPolicy {
	service := Selector(b, ComponentService)
	gateway := map[string]string{common.ServiceLabel: b.Spec.Gateway.Name, common.ComponentLabel: "gateway"}
	out := []*networkingv1.NetworkPolicy{network.DefaultDeny(meta(b, b.Name+"-deny", componentNetwork))}
	toDatabase := network.Rule{Peers: network.Pods(Selector(b, ComponentDatabase)), Ports: network.TCP(database.Port)}
	if e := b.Spec.Database.Endpoint; e != nil {
		toDatabase = network.ToEndpoint(e.EngineEndpoint, e.Port)
	} else {
		out = append(out, databasePolicy(b))
	}
	return append(out,
		network.Policy(meta(b, ServiceName(b), ComponentService), service,
			append([]network.Rule{
				{Ports: network.TCP(APIPort)}, // people and applications come through the edge from anywhere
				{Peers: network.PodsIn("spine-system", map[string]string{"app.kubernetes.io/name": "spine-manager"}), Ports: network.TCP(OpsPort)},
			}, network.FromPeer(b.Spec.Site, OpsPort)...),
			append([]network.Rule{
				toDatabase,
				{Peers: network.PodsIn(b.Spec.Gateway.Namespace, gateway), Ports: network.TCP(gatewayBulkPort)},
				network.DNS(),
			}, providers(b)...)))
}

// databasePolicy opens the instances to the program, to each other and to their operator.
func databasePolicy(b *booking.BookingService) *networkingv1.NetworkPolicy {
	return databasePolicyOf(b, DatabaseName(b))
}

func databasePolicyOf(b *booking.BookingService, cluster string) *networkingv1.NetworkPolicy {
	db, service := map[string]string{database.ClusterLabel: cluster}, Selector(b, ComponentService)
	instances := network.Rule{Peers: network.Pods(db), Ports: network.TCP(database.Port, database.StatusPort)}
	return network.Policy(meta(b, cluster, ComponentDatabase), db,
		append([]network.Rule{
			{Peers: network.Pods(service), Ports: network.TCP(database.Port)},
			instances,
			{Peers: network.PodsIn("cnpg-system", map[string]string{"app.kubernetes.io/name": "cloudnative-pg"}), Ports: network.TCP(database.StatusPort)},
		}, network.FromPeer(b.Spec.Site, database.Port)...),
		append([]network.Rule{
			instances,
			network.DNS(),
			network.KubeAPI(), // each instance reads its Cluster and reports to it
		}, append(network.ToPeer(b.Spec.Site), network.ToStore(b.Spec.Database.Backup)...)...))
}

// providers opens the way to providers' systems, where there are any.
func providers(b *booking.BookingService) []network.Rule {
	var peers []networkingv1.NetworkPolicyPeer
	for _, n := range b.Spec.ProviderAccess.Networks {
		peers = append(peers, networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: string(n)}})
	}
	if len(peers) == 0 {
		return nil
	}
	return []network.Rule{{Peers: peers, Ports: network.TCP(b.Spec.ProviderAccess.Port)}}
}
