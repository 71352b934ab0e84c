// SPDX-License-Identifier: Apache-2.0

// Package registry is the site registry of a rack: CNCF distribution on a loopback port, and a
// read-only TLS front for it at the site's gateway.
package registry

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
	"spine.nhs.uk/controlplane/hack/rack/internal/child"
	"spine.nhs.uk/controlplane/hack/rack/internal/paths"
	"spine.nhs.uk/controlplane/hack/rack/internal/pki"
)

// Tool is the name of the registry's program, and of the tool that builds it.
const Tool = "registry"

// Child is the registry's process, at whose address images are pushed. cache is the folder of
// built files: all racks share the blobs that it holds. output takes the registry's log.
func Child(folder paths.Rack, cache string, output io.Writer, log *slog.Logger) *child.Child {
	storage := filepath.Join(cache, "registry")
	return &child.Child{
		Name: Tool, Binary: filepath.Join(cache, "bin", Tool), PortFile: folder.RegistryPort(),
		Prepare: func(address string) ([]string, error) {
			if err := os.MkdirAll(storage, 0o755); err != nil {
				return nil, err
			}
			config, err := configuration(address, storage)
			if err != nil {
				return nil, err
			}
			return []string{"serve", folder.RegistryConfig()}, os.WriteFile(folder.RegistryConfig(), config, 0o600)
		},
		// Without this the registry looks for a trace collector on this machine.
		Env:    []string{"OTEL_TRACES_EXPORTER=none"},
		Output: output, Log: log,
	}
}

// configuration is distribution's configuration file.
func configuration(address, storage string) ([]byte, error) {
	return yaml.Marshal(map[string]any{
		"version": 0.1,
		"log":     map[string]any{"level": "warn", "accesslog": map[string]any{"disabled": true}},
		"storage": map[string]any{
			"filesystem":  map[string]any{"rootdirectory": filepath.Clean(storage)},
			"maintenance": map[string]any{"uploadpurging": map[string]any{"enabled": false}},
		},
		"http": map[string]any{"addr": address, "relativeurls": true, "secret": pki.Token()},
	})
}
