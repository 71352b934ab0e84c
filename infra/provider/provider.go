// SPDX-License-Identifier: Apache-2.0

// Package provider is the Pulumi provider "spine": bare-metal hosts and
// clusters, and Kubernetes manifests.
package provider

import (
	"fmt"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"

	"spine.nhs.uk/controlplane/infra/provider/baremetal"
	"spine.nhs.uk/controlplane/infra/provider/kubernetes"
	"spine.nhs.uk/controlplane/infra/provider/remote"
)

//go:generate go run ./gen

const (
	// Name is the package name in type tokens: "spine:baremetal:Host".
	Name = "spine"
	// Version is the provider's version; a change of the schema changes it.
	Version = "0.1.0"
	// goImportPath is where the generated Go SDK lives.
	goImportPath = "spine.nhs.uk/controlplane/infra/provider/sdk/spine"
)

// New builds the provider with machines reached through dialer.
func New(dialer remote.Dialer) (p.Provider, error) {
	provider, err := infer.NewProviderBuilder().
		WithDisplayName("Spine").
		WithDescription("Bare-metal hosts and highly available Kubernetes clusters, by SSH and kubeadm, and Kubernetes manifests by server-side apply.").
		WithLicense("Apache-2.0").
		WithPublisher("Spine").
		WithLanguageMap(map[string]any{"go": map[string]any{
			"importBasePath":                 goImportPath,
			"generateResourceContainerTypes": true,
			"respectSchemaVersion":           true,
		}}).
		WithResources(
			(&baremetal.Host{Dialer: dialer}).Resource(),
			(&baremetal.Cluster{Dialer: dialer}).Resource(),
			kubernetes.Manifests(),
		).
		WithFunctions(
			infer.Function(&baremetal.Preflight{Dialer: dialer}),
			infer.Function(&baremetal.ResolveImages{}),
		).
		Build()
	if err != nil {
		return p.Provider{}, fmt.Errorf("building the provider %s: %w", Name, err)
	}
	provider.Check = withoutValues(provider.Check)
	return provider, nil
}
