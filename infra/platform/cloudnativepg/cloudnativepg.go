// SPDX-License-Identifier: Apache-2.0

// Package cloudnativepg is the operator of PostgreSQL.
package cloudnativepg

import (
	"embed"

	"spine.nhs.uk/controlplane/infra/component/manifests"
)

//go:embed *.yaml
var files embed.FS

// Set returns the operator and the definitions of what it manages.
func Set(in manifests.Inputs) (manifests.Set, error) {
	return manifests.Render("postgresql", "cnpg-system", files, []string{"upstream.yaml", "operator.yaml"}, in)
}
