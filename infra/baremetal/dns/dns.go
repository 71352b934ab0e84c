// SPDX-License-Identifier: Apache-2.0

// Package dns is the cluster's DNS.
package dns

import (
	"embed"
	"fmt"
	"net/netip"

	"spine.nhs.uk/controlplane/infra/baremetal/manifests"
)

//go:embed coredns.yaml
var files embed.FS

// Set returns the cluster's DNS.
func Set(p manifests.Params) (manifests.Set, error) {
	return manifests.Render("dns", "kube-system", files, []string{"coredns.yaml"}, p)
}

// Address is the tenth of the services' range: what kubeadm tells kubelets.
func Address(serviceCIDR string) (string, error) {
	n, err := netip.ParsePrefix(serviceCIDR)
	if err != nil {
		return "", fmt.Errorf("range of services: %w", err)
	}
	a := n.Masked().Addr()
	for range 10 {
		a = a.Next()
	}
	return a.String(), nil
}

// Replicas is how many servers a cluster of so many hosts gets: enough to
// lose a host, and fewer than hosts where there are three or more, so that a
// lost one is replaced on another.
func Replicas(hosts int) int {
	switch {
	case hosts <= 1:
		return 1
	case hosts <= 3:
		return 2
	}
	return 3
}
