// SPDX-License-Identifier: Apache-2.0

// Command tools builds every program of a site from source, each pinned and
// verified by its own go.mod and go.sum, and keeps them in the cache.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"spine.nhs.uk/controlplane/hack/tools/cachedir"
	"spine.nhs.uk/controlplane/hack/tools/toolbox"
)

const usage = `Builds the programs of a site from source and keeps them in the cache.

usage:
  tools build [NAME...]   build what is missing; without names, everything that a site needs
  tools list [-o json]    every tool, its version, and whether it is built
  tools path NAME         where a tool's binary is; fails when it is not built

Built tools are linked in $SPINE_CACHE/bin (~/.cache/spine/bin). A pulumi of your own on PATH
is used when it is ` + toolbox.MinPulumi + ` or newer; ours is then not built.

examples:
  go run ./hack/tools build
  go run ./hack/tools build kubernetes@` + toolbox.PreviousKubernetesVersion + `
  PATH="$(dirname "$(go run ./hack/tools path kubernetes)"):$PATH"
`

// errUsage says that the command line is wrong and has been explained.
var errUsage = errors.New("usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if errors.Is(err, errUsage) {
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tools:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return errUsage
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		fmt.Fprint(stdout, usage)
		return nil
	}
	var mu sync.Mutex
	b, err := toolbox.NewBuilder(ctx, func(line string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintln(stderr, "tools:", line)
	})
	if err != nil {
		return err
	}
	switch args[0] {
	case "build":
		return build(ctx, b, args[1:])
	case "list":
		return list(b, args[1:], stdout, stderr)
	case "path":
		return path(b, args[1:], stdout, stderr)
	}
	fmt.Fprintf(stderr, "tools: %q is no command\n\n%s", args[0], usage)
	return errUsage
}

func build(ctx context.Context, b *toolbox.Builder, names []string) error {
	start := time.Now()
	tools, err := toolbox.Select(names)
	if err != nil {
		return err
	}
	// Who names a tool wants ours.
	if len(names) == 0 {
		choice := toolbox.ChoosePulumi(os.Getenv("PATH"), filepath.Join(b.Cache, "bin"), toolbox.PulumiVersion(ctx))
		if tools, err = b.Leave(tools, choice); err != nil {
			return err
		}
	}
	if err := b.BuildAll(ctx, tools); err != nil {
		return err
	}
	b.Progress(fmt.Sprintf("%d tools ready in %s (%.1f s)", len(tools), filepath.Join(b.Cache, "bin"), time.Since(start).Seconds()))
	return nil
}

// row is a tool as `list -o json` shows it.
type row struct {
	Name     string `json:"name"`
	Version  string `json:"version,omitempty"`
	About    string `json:"about"`
	Path     string `json:"path"`
	Built    bool   `json:"built"`
	Optional bool   `json:"optional,omitempty"`
}

func list(b *toolbox.Builder, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("list", flag.ContinueOnError)
	flags.SetOutput(stderr)
	format := flags.String("o", "text", "text or json")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 || *format != "text" && *format != "json" {
		fmt.Fprint(stderr, usage)
		return errUsage
	}
	var rows []row
	for _, t := range toolbox.All() {
		p, err := b.Path(t)
		if err != nil {
			return err
		}
		rows = append(rows, row{t.Name, t.Version, t.About, p, cachedir.Exists(p), t.Optional})
	}
	if *format == "json" {
		enc := json.NewEncoder(stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(rows)
	}
	for _, r := range rows {
		state := "not built"
		if r.Built {
			state = "built"
		}
		fmt.Fprintf(stdout, "%-24s %-9s %-10s %s\n", r.Name, r.Version, state, r.About)
	}
	return nil
}

func path(b *toolbox.Builder, args []string, stdout, stderr io.Writer) error {
	if len(args) != 1 {
		fmt.Fprint(stderr, usage)
		return errUsage
	}
	t, err := toolbox.Find(args[0])
	if err != nil {
		return err
	}
	p, err := b.Path(t)
	if err != nil {
		return err
	}
	if !cachedir.Exists(p) {
		return fmt.Errorf("%s is not built: run 'go run ./hack/tools build %s'", t.Name, t.Name)
	}
	fmt.Fprintln(stdout, p)
	return nil
}
