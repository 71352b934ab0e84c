// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/netip"

	"spine.nhs.uk/controlplane/infra/component/manifests"
)

// Secrets of the third place and of the other site, which the manager mounts.
const (
	witnessSecret = "witness"
	trafficSecret = "traffic"
	peerSecret    = "peer"
)

// ThirdPlace is what the manager of one of two sites needs of the name server that holds the
// vote and the names of services, and of the other site. It has been validated by whoever
// read it from people.
type ThirdPlace struct {
	// NameServer is its address.
	NameServer netip.AddrPort
	// Zone, with the closing dot, may be updated with the key, hmac-sha256 in base64.
	Zone, Key, Secret string
	// Names of services that go with the site that serves, and the Sites' edges by name.
	Names []string
	Sites map[string]string
	// TTLSeconds is how long clients may keep a name's address.
	TTLSeconds int
	// PeerKubeconfig is how the other site's manager is asked; empty until the two are joined.
	PeerKubeconfig string
	// PeerNetworks are where the other site's API and edge are, on APIPort and PeerPorts.
	PeerNetworks []string
	PeerPorts    []int
}

// add what the manager mounts, and reads again when it changes, and the way there.
func (p *ThirdPlace) add(set manifests.Set, labels map[string]string) error {
	zone := map[string]any{
		"server": p.NameServer.String(), "zone": p.Zone,
		"key": map[string]any{"name": p.Key, "algorithm": "hmac-sha256", "secret": p.Secret},
	}
	witness := map[string]any{"vote": "vote." + p.Zone}
	traffic := map[string]any{"names": p.Names, "sites": p.Sites, "ttlSeconds": p.TTLSeconds}
	for k, v := range zone {
		witness[k], traffic[k] = v, v
	}
	errs := []error{
		addSecret(set, labels, witnessSecret, "config.yaml", witness),
		addSecret(set, labels, trafficSecret, "config.yaml", traffic),
		set.Add(policy("spine-manager-sites",
			egress([]string{netip.PrefixFrom(p.NameServer.Addr(), 32).String()}, int(p.NameServer.Port())),
			egress(p.PeerNetworks, p.PeerPorts...)), labels),
	}
	if p.PeerKubeconfig != "" {
		errs = append(errs, set.Add(secret(peerSecret, "kubeconfig", p.PeerKubeconfig), labels))
	}
	return errors.Join(errs...)
}

func addSecret(set manifests.Set, labels map[string]string, name, key string, content any) error {
	text, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		return err
	}
	return set.Add(secret(name, key, string(text)), labels)
}

func secret(name, key, text string) map[string]any {
	return map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
		"metadata": map[string]any{"namespace": namespace, "name": name},
		"data":     map[string]any{key: base64.StdEncoding.EncodeToString([]byte(text))},
	}
}
