// SPDX-License-Identifier: Apache-2.0

// Command objectstore is Versity's S3 gateway over a folder, for one account; upstream's main
// links other stores, a website and several directories of accounts besides.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3api"
	"github.com/versity/versitygw/s3api/middlewares"
)

const (
	// region is what the client libraries of AWS sign for unless they are told another.
	region = "us-east-1"
	// health answers without a signature; no bucket may have such a name.
	health = "/-/health"
	// connections and requests are far more than the backups of a rack make at once.
	connections, requests = 1024, 512
	// parts is the limit of S3 itself for one upload.
	parts = 10000
)

// credentials is the one account, in the form of its file.
type credentials struct {
	AccessKey string `json:"accessKey"`
	SecretKey string `json:"secretKey"`
}

func main() {
	listen := flag.String("listen", "", "address and port, for HTTP without TLS")
	file := flag.String("credentials", "", "file with accessKey and secretKey, in JSON")
	buckets := flag.String("buckets", "", "folder of the buckets, each a folder in it")
	metadata := flag.String("metadata", "", "folder of what is kept about objects, outside that of the buckets")
	flag.Parse()
	if err := serve(*listen, *file, *buckets, *metadata); err != nil {
		fmt.Fprintln(os.Stderr, "objectstore:", err)
		os.Exit(1)
	}
}

func serve(listen, file, buckets, metadata string) error {
	account, err := read(file)
	if err != nil {
		return err
	}
	// Files of its own, rather than extended attributes, which not every file system has.
	store, err := meta.NewSideCar(metadata)
	if err != nil {
		return err
	}
	backend, err := posix.New(buckets, store, posix.PosixOpts{SideCarDir: metadata})
	if err != nil {
		return err
	}
	root := auth.Account{Access: account.AccessKey, Secret: account.SecretKey, Role: auth.RoleAdmin}
	server, err := s3api.New(backend,
		middlewares.RootUserConfig{Access: root.Access, Secret: root.Secret}, region,
		auth.NewIAMServiceSingle(root), nil, nil, nil, nil,
		s3api.WithQuiet(), s3api.WithHealth(health), s3api.WithMpMaxParts(parts),
		s3api.WithConcurrencyLimiter(connections, requests))
	if err != nil {
		return err
	}
	return server.ServeMultiPort([]string{listen})
}

func read(file string) (credentials, error) {
	var c credentials
	data, err := os.ReadFile(file)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("%s: %w", file, err)
	}
	if c.AccessKey == "" || c.SecretKey == "" {
		return c, errors.New(file + ": accessKey or secretKey is missing")
	}
	return c, nil
}
