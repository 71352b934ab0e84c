// SPDX-License-Identifier: Apache-2.0

// Package edge is the entry point for traffic from outside.
package edge

import (
	"embed"
	"fmt"

	"spine.nhs.uk/controlplane/infra/baremetal/manifests"
)

// PingPort is where the entry point says, on a host's loopback address only,
// that it is alive.
const PingPort = 10254

//go:embed traefik.yaml
var files embed.FS

// Set returns the entry point.
func Set(p manifests.Params) (manifests.Set, error) {
	p.EdgePing = PingPort
	return manifests.Render("edge", "spine-edge", files, []string{"traefik.yaml"}, p)
}

// CheckURL answers on a host while the entry point lives there.
func CheckURL() string {
	return fmt.Sprintf("http://127.0.0.1:%d/ping", PingPort)
}
