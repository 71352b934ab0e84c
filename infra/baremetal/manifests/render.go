// SPDX-License-Identifier: Apache-2.0

// Package manifests brings a site's own sets of objects into its cluster.
package manifests

import (
	"io/fs"

	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/component/manifests"
)

// Set is a named set of objects that are applied, waited for and pruned
// together.
type Set = manifests.Set

// Params are what files may refer to, as {{.PodCIDR}}. Values have been
// validated: none can break out of a YAML string in double quotes.
type Params struct {
	// Images are reached as {{image "name"}}.
	Images component.Images
	// Labels are put on every object.
	Labels map[string]string

	PodCIDR     string
	ServiceCIDR string
	DNSAddress  string
	DNSDomain   string
	Nameservers []string
	DNSReplicas int
	APIName     string
	APIAddress  string
	APIPort     int
	EdgeAddress string
	EdgePing    int
	VolumesPath string
	// KeepVolumes keeps what was on a volume when its claim is deleted.
	KeepVolumes bool
}

// Render reads the files in order. Errors name the file.
func Render(name, namespace string, files fs.FS, paths []string, p Params) (Set, error) {
	return manifests.Render(name, namespace, files, paths, manifests.Inputs{Images: p.Images, Labels: p.Labels, Values: p})
}
