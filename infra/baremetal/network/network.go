// SPDX-License-Identifier: Apache-2.0

// Package network is the pod network: a built-in one, or files that an
// environment names.
package network

import (
	"embed"
	"io/fs"

	"spine.nhs.uk/controlplane/infra/baremetal/manifests"
)

//go:embed kube-router.yaml
var builtIn embed.FS

// Set returns the built-in pod network.
func Set(p manifests.Params) (manifests.Set, error) {
	return manifests.Render("network", "kube-system", builtIn, []string{"kube-router.yaml"}, p)
}

// CustomSet returns the pod network of the files.
func CustomSet(files fs.FS, paths []string, p manifests.Params) (manifests.Set, error) {
	return manifests.Render("network", "kube-system", files, paths, p)
}
