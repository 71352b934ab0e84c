// SPDX-License-Identifier: Apache-2.0

// Command upstream takes from the engines' own modules, at the versions that are
// pinned, the objects that their operators need: definitions, rights and
// webhooks. Definitions lose their descriptions and what a site never uses, which
// makes them a tenth of their size; what a site does use is as upstream has it.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
	yamlv3 "sigs.k8s.io/yaml/goyaml.v3"

	"spine.nhs.uk/controlplane/hack/tools/toolbox"
)

//go:generate go run .

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "upstream:", err)
		os.Exit(1)
	}
}

func run() error {
	root, err := toolbox.FindRoot()
	if err != nil {
		return err
	}
	for _, e := range engines {
		dir, err := moduleDir(filepath.Join(root, "hack/tools/modules/engines"), e.module)
		if err != nil {
			return err
		}
		text, err := e.render(dir)
		if err != nil {
			return fmt.Errorf("%s: %w", e.module, err)
		}
		if err := os.WriteFile(filepath.Join(root, e.out), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// moduleDir is where the pinned version of a module is, downloaded if need be.
func moduleDir(pins, module string) (string, error) {
	for _, args := range [][]string{{"mod", "download", module}, {"list", "-m", "-f", "{{.Dir}}", module}} {
		cmd := exec.Command("go", args...)
		cmd.Dir, cmd.Env = pins, append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			return "", fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
		}
		if dir := strings.TrimSpace(string(out)); dir != "" {
			return dir, nil
		}
	}
	return "", fmt.Errorf("module %s is not downloaded", module)
}

// render reads the engine's files in dir and returns what is kept of them.
func (e engine) render(dir string) ([]byte, error) {
	out := bytes.NewBufferString("# Made by `go generate ./hack/tools/upstream` from " + e.module + ": not for editing.\n")
	found := map[string]bool{}
	for _, name := range e.files {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		objects, err := split(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, o := range objects {
			key := keyOf(o)
			if !e.keep[key] {
				continue
			}
			found[key] = true
			if err := e.trim(key, o); err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			text, err := yaml.Marshal(o)
			if err != nil {
				return nil, err
			}
			out.WriteString("---\n")
			out.Write(text)
		}
	}
	for key := range e.keep {
		if !found[key] {
			return nil, fmt.Errorf("there is no %s any more", key)
		}
	}
	return out.Bytes(), nil
}

// split reads the documents of a file.
func split(text []byte) ([]map[string]any, error) {
	var objects []map[string]any
	for d := yamlv3.NewDecoder(bytes.NewReader(text)); ; {
		var o map[string]any
		err := d.Decode(&o)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		if len(o) > 0 {
			objects = append(objects, o)
		}
	}
}

// keyOf is an object's kind and name.
func keyOf(o map[string]any) string {
	metadata, _ := o["metadata"].(map[string]any)
	return fmt.Sprintf("%v/%v", o["kind"], metadata["name"])
}
