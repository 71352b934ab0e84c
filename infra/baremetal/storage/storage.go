// SPDX-License-Identifier: Apache-2.0

// Package storage is the local persistent volumes.
package storage

import (
	"embed"

	"spine.nhs.uk/controlplane/infra/baremetal/manifests"
)

//go:embed local-path.yaml
var files embed.FS

// Set returns the provisioner and the default storage class, local-path.
func Set(p manifests.Params) (manifests.Set, error) {
	return manifests.Render("storage", "local-path-storage", files, []string{"local-path.yaml"}, p)
}
