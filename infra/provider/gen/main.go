// SPDX-License-Identifier: Apache-2.0

// Command gen writes the provider's schema and its Go SDK from the argument
// structs. Run it by `go generate ./infra/provider` after changing one; a test
// fails while the files checked in differ from what it writes.
package main

import (
	"context"
	"fmt"
	"os"

	"spine.nhs.uk/controlplane/infra/provider/gen/generate"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run expects the provider's folder as working directory, as go generate sets it.
func run(ctx context.Context) error {
	files, err := generate.Files(ctx)
	if err != nil {
		return err
	}
	return generate.Write(".", files)
}
