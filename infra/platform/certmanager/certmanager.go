// SPDX-License-Identifier: Apache-2.0

// Package certmanager is cert-manager and the certificate authorities of a
// cluster.
package certmanager

import (
	"embed"

	"spine.nhs.uk/controlplane/infra/component/manifests"
)

//go:embed *.yaml
var files embed.FS

// Set returns the controller, and the issuers spine-ca, which signs for the
// platform's own parts, and spine-clients, which signs for its clients.
func Set(in manifests.Inputs) (manifests.Set, error) {
	return manifests.Render("certificates", "cert-manager", files, []string{"upstream.yaml", "controller.yaml", "issuers.yaml"}, in)
}
