// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/netip"
	"strings"

	"spine.nhs.uk/controlplane/infra/component/manifests"
)

// Secrets of the third place and of the other site, which the manager mounts.
const (
	witnessSecret = "witness"
	trafficSecret = "traffic"
	peerSecret    = "peer"
)

// ThirdPlace is what the manager of one of two sites needs of the place that holds the vote and
// the names of services, and of the other site. It has been validated by whoever read it from
// people.
type ThirdPlace struct {
	// NameServer or AWS is what it is: one of them.
	NameServer *NameServer
	AWS        *PlaceInAWS
	// Zone, with the closing dot, may be updated.
	Zone string
	// Names of services that go with the site that serves.
	Names []string
	// PeerKubeconfig is how the other site's manager is asked; empty until the two are joined.
	PeerKubeconfig string
	// PeerNetworks are where the other site's API and edge are, on APIPort and PeerPorts.
	PeerNetworks []string
	PeerPorts    []int
}

// NameServer takes updates by RFC 2136.
type NameServer struct {
	// Address of it.
	Address netip.AddrPort
	// Key by name, with the closing dot, and its Secret, hmac-sha256 in base64.
	Key, Secret string
	// Sites are the sites' edges by name.
	Sites map[string]string
	// TTLSeconds is how long clients may keep a name's address.
	TTLSeconds int
}

// PlaceInAWS is a table of DynamoDB and a zone of Route 53.
type PlaceInAWS struct {
	// Region and Table of the vote; TableEndpoint is empty for DynamoDB's public name.
	Region, Table, TableEndpoint string
	// HostedZone is the zone's ID; ZoneEndpoint is empty for Route 53's public name.
	HostedZone, ZoneEndpoint string
	// Sites are the set identifiers of the sites' weighted records, by name.
	Sites map[string]string
	// Credentials in the form of AWS's tools; empty where the manager has a role.
	Credentials string
	// Networks are where DynamoDB and Route 53 answer.
	Networks []string
}

// What the third place is, as the manager's option has it.
const (
	kindNameServer = "NameServer"
	kindAWS        = "AWS"
)

func (p *ThirdPlace) kind() string {
	if p.AWS != nil {
		return kindAWS
	}
	return kindNameServer
}

// awsPort is where AWS's services answer.
const awsPort = 443

// add what the manager mounts, and reads again when it changes, and the way there.
func (p *ThirdPlace) add(set manifests.Set, labels map[string]string) error {
	if (p.NameServer == nil) == (p.AWS == nil) {
		return errors.New("the third place must be a name server or AWS, and one of them only")
	}
	var errs []error
	mount := func(name string, config map[string]any) {
		files, err := p.files(config)
		errs = append(errs, err, set.Add(secret(name, files), labels))
	}
	var way any
	if a := p.AWS; a != nil {
		mount(witnessSecret, map[string]any{"region": a.Region, "table": a.Table, "service": strings.TrimSuffix(p.Zone, "."), "endpoint": a.TableEndpoint})
		mount(trafficSecret, map[string]any{"hostedZone": a.HostedZone, "zone": p.Zone, "names": p.Names, "sites": a.Sites, "endpoint": a.ZoneEndpoint})
		way = egress(a.Networks, awsPort)
	} else {
		s := p.NameServer
		zone := map[string]any{
			"server": s.Address.String(), "zone": p.Zone,
			"key": map[string]any{"name": s.Key, "algorithm": "hmac-sha256", "secret": s.Secret},
		}
		witness := map[string]any{"vote": "vote." + p.Zone}
		traffic := map[string]any{"names": p.Names, "sites": s.Sites, "ttlSeconds": s.TTLSeconds}
		maps.Copy(witness, zone)
		maps.Copy(traffic, zone)
		mount(witnessSecret, witness)
		mount(trafficSecret, traffic)
		way = egress([]string{netip.PrefixFrom(s.Address.Addr(), 32).String()}, int(s.Address.Port()))
	}
	errs = append(errs, set.Add(policy("spine-manager-sites", way, egress(p.PeerNetworks, p.PeerPorts...)), labels))
	if p.PeerKubeconfig != "" {
		errs = append(errs, set.Add(secret(peerSecret, map[string]string{"kubeconfig": p.PeerKubeconfig}), labels))
	}
	return errors.Join(errs...)
}

// files of a mounted configuration: beside it stand the credentials, where there is no role.
func (p *ThirdPlace) files(config map[string]any) (map[string]string, error) {
	text, err := json.MarshalIndent(config, "", "  ")
	files := map[string]string{"config.yaml": string(text)}
	if p.AWS != nil && p.AWS.Credentials != "" {
		files["credentials"] = p.AWS.Credentials
	}
	return files, err
}

func secret(name string, files map[string]string) map[string]any {
	data := map[string]any{}
	for key, text := range files {
		data[key] = base64.StdEncoding.EncodeToString([]byte(text))
	}
	return map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
		"metadata": map[string]any{"namespace": namespace, "name": name},
		"data":     data,
	}
}
