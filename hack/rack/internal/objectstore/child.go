// SPDX-License-Identifier: Apache-2.0

// Package objectstore is the S3 object store of a rack, outside its hosts, for what has to
// outlive them: Versity's gateway on a loopback port, and a TLS front for it at each site's
// gateway.
package objectstore

import (
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"spine.nhs.uk/controlplane/hack/rack/internal/child"
	"spine.nhs.uk/controlplane/hack/rack/internal/paths"
	"spine.nhs.uk/controlplane/hack/rack/internal/pki"
)

const (
	// Tool is the name of the store's program, and of the tool that builds it.
	Tool = "objectstore"
	// Bucket is there from the start.
	Bucket = "spine"
)

// Credentials is the store's one account, which may do everything.
type Credentials struct {
	AccessKey string `json:"accessKey"`
	SecretKey string `json:"secretKey"`
}

// EnsureCredentials makes the account of a rack's store, unless it has one.
func EnsureCredentials(folder paths.Rack) error {
	if _, err := os.Stat(folder.ObjectStore()); err == nil {
		return nil
	}
	data, err := json.Marshal(Credentials{AccessKey: pki.Token(), SecretKey: pki.Token()})
	if err != nil {
		return err
	}
	return pki.WriteOnce(folder.ObjectStore(), append(data, '\n'), 0o600)
}

// Child is the store's process, with the program in the folder of built files, cache. output
// takes its log.
func Child(folder paths.Rack, cache string, output io.Writer, log *slog.Logger) *child.Child {
	buckets, metadata := filepath.Join(folder.Objects(), "buckets"), filepath.Join(folder.Objects(), "metadata")
	return &child.Child{
		Name: Tool, Binary: filepath.Join(cache, "bin", Tool), PortFile: folder.ObjectStorePort(),
		Prepare: func(address string) ([]string, error) {
			for _, dir := range []string{filepath.Join(buckets, Bucket), metadata} {
				if err := os.MkdirAll(dir, 0o700); err != nil {
					return nil, err
				}
			}
			return []string{
				"-listen", address, "-credentials", folder.ObjectStore(), "-buckets", buckets, "-metadata", metadata,
			}, nil
		},
		Output: output, Log: log,
	}
}
