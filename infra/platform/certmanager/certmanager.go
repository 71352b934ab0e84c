// SPDX-License-Identifier: Apache-2.0

// Package certmanager is cert-manager and the certificate authorities of a
// cluster.
package certmanager

import (
	"embed"
	"encoding/base64"
	"errors"

	"spine.nhs.uk/controlplane/infra/component/manifests"
)

//go:embed *.yaml
var files embed.FS

const namespace = "cert-manager"

// Authorities sign in place of a site's own, where two sites have to believe each
// other.
type Authorities struct {
	// Platform signs for the platform's own parts, Clients for its clients.
	Platform, Clients Authority
}

// An Authority is PEM text: a certificate followed by those above it up to the root,
// and its private key, a secret.
type Authority struct{ Certificates, Key string }

// Set returns the controller, and the issuers spine-ca, which signs for the
// platform's own parts, and spine-clients, which signs for its clients. Without
// authorities the site makes its own.
func Set(authorities *Authorities, in manifests.Inputs) (manifests.Set, error) {
	paths := []string{"upstream.yaml", "controller.yaml", "issuers.yaml"}
	if authorities == nil {
		return manifests.Render("certificates", namespace, files, append(paths, "own.yaml"), in)
	}
	set, err := manifests.Render("certificates", namespace, files, paths, in)
	if err != nil {
		return manifests.Set{}, err
	}
	return set, errors.Join(
		set.Add(authorities.Platform.secret("spine-ca"), in.Labels),
		set.Add(authorities.Clients.secret("spine-clients"), in.Labels))
}

func (a Authority) secret(name string) map[string]any {
	encode := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	return map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
		"metadata": map[string]any{"namespace": namespace, "name": name},
		"data":     map[string]any{"tls.crt": encode(a.Certificates), "tls.key": encode(a.Key)},
	}
}
