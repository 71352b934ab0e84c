// SPDX-License-Identifier: Apache-2.0

// Package rabbitmq is the operator of RabbitMQ.
package rabbitmq

import (
	"embed"

	"spine.nhs.uk/controlplane/infra/component/manifests"
)

//go:embed *.yaml
var files embed.FS

// Set returns the operator and the definition of what it manages.
func Set(in manifests.Inputs) (manifests.Set, error) {
	return manifests.Render("rabbitmq", "rabbitmq-system", files, []string{"upstream.yaml", "operator.yaml"}, in)
}
