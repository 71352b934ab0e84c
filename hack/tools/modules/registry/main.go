// SPDX-License-Identifier: Apache-2.0

// Command registry is the CNCF distribution registry with the one storage
// driver that a site uses, a folder; upstream's main links the client libraries
// of three clouds besides.
package main

import (
	"fmt"
	"os"

	"github.com/distribution/distribution/v3/registry"

	_ "github.com/distribution/distribution/v3/registry/auth/htpasswd"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
)

func main() {
	if err := registry.RootCmd.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "registry:", err)
		os.Exit(1)
	}
}
