// SPDX-License-Identifier: Apache-2.0

// Package site is one bare-metal site: its hosts, the cluster on them, and
// what every cluster of a site needs.
package site

import (
	"errors"
	"io/fs"
	"slices"

	"spine.nhs.uk/controlplane/infra/baremetal/cluster"
	"spine.nhs.uk/controlplane/infra/baremetal/hosts"
	"spine.nhs.uk/controlplane/infra/baremetal/registry"
	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/naming"
	"spine.nhs.uk/controlplane/infra/tags"
)

// Network is the pod network.
type Network struct {
	// Files and Manifests replace the built-in pod network; nil and empty for
	// the built-in one.
	Files     fs.FS
	Manifests []string
	// Images are the names and tags that the manifests use.
	Images []string

	PodCIDR     string
	ServiceCIDR string
	DNSDomain   string
}

// Args say what the site should be. They have been validated by whoever read
// them from people.
type Args struct {
	Names naming.Namer
	Tags  tags.Tags
	// Name is the site's.
	Name string
	// Interface is every host's network interface on the site's subnet.
	Interface string
	// Nameservers answer for names outside the cluster; none if it has none.
	Nameservers []string
	SSH         hosts.SSH
	Hosts       []hosts.Host
	API         component.Endpoint
	EdgeAddress string
	// RouterID gives a shared address its VRRP router ID.
	RouterID func(address string) int
	Registry registry.Registry
	// Version is an exact Kubernetes release.
	Version     string
	Network     Network
	VolumesPath string
	// Protect has Pulumi refuse to remove hosts and the cluster, and keeps what was on a volume when that is deleted.
	Protect bool
	Timings cluster.Timings
	// Images are further images of the site's registry, as "name:tag", beside
	// those of the cluster itself.
	Images []string
	// Offline plans without contacting hosts or the registry: nothing is checked
	// on them, and images have no digests.
	Offline bool
}

// Validate says what a caller forgot.
func (a *Args) Validate() error {
	if a.Name == "" || a.Version == "" || a.RouterID == nil {
		return errors.New("name, version and router IDs are needed")
	}
	return nil
}

// moreImages are those that not every site needs.
func (a *Args) moreImages() []string {
	if len(a.Network.Manifests) > 0 {
		return slices.Concat(a.Network.Images, a.Images)
	}
	return slices.Concat(registry.KubeRouterImages(), a.Images)
}

func (a *Args) hosts(images component.Images, machineIDs map[string]string) *hosts.Args {
	return &hosts.Args{
		Names:        a.Names,
		Site:         a.Name,
		Interface:    a.Interface,
		SSH:          a.SSH,
		Hosts:        a.Hosts,
		API:          a.API,
		APIRouterID:  a.RouterID(a.API.Address),
		EdgeAddress:  a.EdgeAddress,
		EdgeRouterID: a.RouterID(a.EdgeAddress),
		Registry:     a.Registry,
		Images:       images,
		MachineIDs:   machineIDs,
		Protect:      a.Protect,
	}
}
