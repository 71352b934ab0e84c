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
	// bucket of the site of a rack with one; where there are several, theirs begin with it.
	bucket = "spine"
)

// Bucket is a site's, of a rack with so many sites: no two write to one. It is there from the start.
func Bucket(site string, sites int) string {
	if sites == 1 {
		return bucket
	}
	return bucket + "-" + site
}

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

// Child is the store's process, which has these buckets, with the program in the folder of built
// files, cache. output takes its log.
func Child(folder paths.Rack, buckets []string, cache string, output io.Writer, log *slog.Logger) *child.Child {
	store, metadata := filepath.Join(folder.Objects(), "buckets"), filepath.Join(folder.Objects(), "metadata")
	return &child.Child{
		Name: Tool, Binary: filepath.Join(cache, "bin", Tool), PortFile: folder.ObjectStorePort(),
		Prepare: func(address string) ([]string, error) {
			dirs := []string{metadata}
			for _, name := range buckets {
				dirs = append(dirs, filepath.Join(store, name))
			}
			for _, dir := range dirs {
				if err := os.MkdirAll(dir, 0o700); err != nil {
					return nil, err
				}
			}
			return []string{
				"-listen", address, "-credentials", folder.ObjectStore(), "-buckets", store, "-metadata", metadata,
			}, nil
		},
		Output: output, Log: log,
	}
}
