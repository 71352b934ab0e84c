// SPDX-License-Identifier: Apache-2.0

package site

import (
	"crypto/tls"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/platform/certmanager"
	"spine.nhs.uk/controlplane/infra/platform/manager"
	"spine.nhs.uk/controlplane/infra/platform/services"
	shared "spine.nhs.uk/controlplane/stacks/platform"
)

// pair is what an environment says of the other site and the third place, with the files
// read in; all nil for a site alone.
type pair struct {
	authorities *certmanager.Authorities
	services    *services.Pair
	thirdPlace  *manager.ThirdPlace
}

func readPair(env *environments.Environment) (pair, field.ErrorList) {
	v := env.Pair
	if v == nil {
		return pair{}, nil
	}
	p := field.NewPath("pair")
	var errs field.ErrorList
	read := func(at *field.Path, file string) string {
		text, err := readLocal(file)
		if err != nil {
			errs = append(errs, shared.Unreadable(at, file, err))
		}
		return text
	}
	authority := func(name string, a environments.Authority) certmanager.Authority {
		at := p.Child(name)
		out := certmanager.Authority{Certificates: read(at.Child("certificateFile"), a.CertificateFile), Key: read(at.Child("keyFile"), a.KeyFile)}
		if out.Certificates != "" && out.Key != "" {
			// The library's words do not quote the key.
			if _, err := tls.X509KeyPair([]byte(out.Certificates), []byte(out.Key)); err != nil {
				errs = append(errs, field.Invalid(at.Child("certificateFile"), a.CertificateFile, "does not go with keyFile: "+err.Error()))
			}
		}
		return out
	}
	made := pair{authorities: &certmanager.Authorities{
		Platform: authority("platform", v.Platform), Clients: authority("clients", v.Clients),
	}}
	place, wrong := thirdPlace(env, read)
	errs = append(errs, wrong...)
	kubeconfig := read(p.Child("peer", "kubeconfigFile"), v.Peer.KubeconfigFile)
	if len(errs) > 0 {
		return pair{}, errs
	}
	names := func(host string) []string { return []string{host + "." + v.ThirdPlace.Zone} }
	made.services = &services.Pair{
		Site: env.Site.Name, Networks: []string{env.Site.Subnet}, Role: v.Role, Acknowledge: v.Acknowledge, Automatic: v.Automatic,
		Peer: v.Peer.Name, PeerNetworks: []string{v.Peer.Subnet}, PeerEdge: v.Peer.EdgeAddress,
		MessagingNames: names("messages"), BookingNames: names("booking"),
	}
	place.Zone, place.PeerKubeconfig = v.ThirdPlace.Zone+".", kubeconfig
	place.PeerNetworks, place.PeerPorts = []string{v.Peer.Subnet}, []int{apiPort, services.MessagingOpsPort, services.BookingOpsPort}
	for _, name := range append(names("messages"), names("booking")...) {
		place.Names = append(place.Names, name+".")
	}
	made.thirdPlace = place
	return made, nil
}
