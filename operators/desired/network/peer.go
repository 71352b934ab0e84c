// SPDX-License-Identifier: Apache-2.0

package network

import (
	"slices"

	networkingv1 "k8s.io/api/networking/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// FromPeer opens a port to what comes in at the edge from the other site. The host that it
// comes in at puts its own address in place of the sender's.
func FromPeer(site *common.SiteSpec, port int32) []Rule {
	if site == nil {
		return nil
	}
	return []Rule{{Peers: blocks(append(slices.Clone(site.Networks), site.Peer.Networks...)), Ports: TCP(port)}}
}

// ToPeer opens the way to the other site's database.
func ToPeer(site *common.SiteSpec) []Rule {
	if site == nil {
		return nil
	}
	return []Rule{{Peers: blocks(site.Peer.Networks), Ports: TCP(site.Peer.DatabasePort)}}
}

// ToEndpoint opens the way to an engine that somebody else runs.
func ToEndpoint(e common.EngineEndpoint, port int32) Rule {
	return Rule{Peers: blocks(e.Networks), Ports: TCP(port)}
}

// ToStore opens the way to the object store where a database's backups are kept.
func ToStore(b *common.DatabaseBackup) []Rule {
	if b == nil {
		return nil
	}
	return []Rule{{Peers: blocks(b.Networks), Ports: TCP(b.Port())}}
}

func blocks(networks []common.SiteNetwork) []networkingv1.NetworkPolicyPeer {
	var out []networkingv1.NetworkPolicyPeer
	for _, n := range networks {
		out = append(out, networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: string(n)}})
	}
	return out
}
