// SPDX-License-Identifier: Apache-2.0

// Command gen writes the table of hack/awsdouble: the shapes of the AWS resources that the programs of this repository
// make, read from the Go source of the SDK at the version in go.mod. It builds and runs nothing of the SDK.
//
//	go generate ./hack/awsdouble
package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"spine.nhs.uk/controlplane/hack/awsdouble/table"
)

const module = "github.com/pulumi/pulumi-aws/sdk/v6"

func main() {
	root := flag.String("root", ".", "the repository's root")
	out := flag.String("o", "", "the file to write")
	replaces := flag.String("replaces", "", "the list of inputs that replace")
	flag.Parse()
	if err := run(*root, *out, *replaces); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(root, out, replaces string) error {
	list := exec.Command("go", "list", "-m", "-f", "{{.Version}} {{.Dir}}", module)
	list.Dir, list.Stderr = root, os.Stderr
	answer, err := list.Output()
	if err != nil {
		return fmt.Errorf("where is %s: %w", module, err)
	}
	version, dir, _ := strings.Cut(strings.TrimSpace(string(answer)), " ")
	if dir == "" {
		return fmt.Errorf("%s is not in the module cache: run `go mod download %s`", module, module)
	}
	calls, err := used(root, "infra/aws", "stacks")
	if err != nil {
		return err
	}
	recorded, err := readReplaces(replaces)
	if err != nil {
		return err
	}
	t, err := read(filepath.Join(dir, "go", "aws"), calls, recorded)
	if err != nil {
		return err
	}
	t.SDK = strings.TrimPrefix(version, "v")
	text, err := table.Write(t)
	if err != nil {
		return err
	}
	return os.WriteFile(out, text, 0o644)
}

// read makes the table of the types that the calls make.
func read(sdk string, calls map[string][]string, replaces map[string][]string) (*table.Table, error) {
	t := &table.Table{Types: map[string]*table.Type{}, Objects: map[string]table.Fields{}}
	root, err := readPackage(sdk, "aws")
	if err != nil {
		return nil, err
	}
	t.Provider = root.fields("providerArgs", nil)
	shapes := root.reached
	for _, name := range slices.Sorted(maps.Keys(calls)) {
		p, err := readPackage(filepath.Join(sdk, name), name)
		if err != nil {
			return nil, err
		}
		for _, constructor := range calls[name] {
			token, ok := p.tokens[constructor]
			if !ok {
				continue // Of helpers and providers, which are no resources of AWS.
			}
			t.Types[token] = p.resource(constructor)
			t.Types[token].Replaces, ok = replaces[token]
			if !ok {
				return nil, fmt.Errorf("nothing is recorded of which inputs of %s replace: see hack/awsdouble/README.md", token)
			}
		}
		maps.Copy(shapes, p.reached)
	}
	t.Objects = shapes
	merge(t)
	return t, nil
}
