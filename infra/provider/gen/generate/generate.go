// SPDX-License-Identifier: Apache-2.0

// Package generate derives the provider's schema and Go SDK.
package generate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/format"
	"maps"
	"os"
	"path/filepath"
	"strings"

	p "github.com/pulumi/pulumi-go-provider"
	gogen "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"

	"spine.nhs.uk/controlplane/infra/provider"
	"spine.nhs.uk/controlplane/infra/provider/gen/split"
	"spine.nhs.uk/controlplane/infra/provider/remote"
)

const (
	schemaFile = "schema.json"
	sdkFolder  = "sdk"
	license    = "// SPDX-License-Identifier: Apache-2.0\n\n"
)

// noLoader loads no other package, as our schema refers to none. The default
// one would start the plugins of the project in the working directory.
type noLoader struct{ schema.ReferenceLoader }

func schemaOf(ctx context.Context) (schema.PackageSpec, error) {
	prov, err := provider.New(remote.NewClient())
	if err != nil {
		return schema.PackageSpec{}, err
	}
	spec, err := p.GetSchema(ctx, provider.Name, provider.Version, prov)
	if err != nil {
		return schema.PackageSpec{}, fmt.Errorf("deriving the schema: %w", err)
	}
	return spec, nil
}

// Files returns the content of every generated file by its path below the
// provider's folder.
func Files(ctx context.Context) (map[string][]byte, error) {
	spec, err := schemaOf(ctx)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(spec); err != nil {
		return nil, err
	}
	files := map[string][]byte{schemaFile: text.Bytes()}

	pkg, diags, err := schema.BindSpec(spec, noLoader{}, schema.ValidationOptions{})
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	if diags.HasErrors() {
		return nil, fmt.Errorf("reading the schema: %w", diags)
	}
	sdk, err := gogen.GeneratePackage("gen", pkg, nil)
	if err != nil {
		return nil, fmt.Errorf("generating the Go SDK: %w", err)
	}
	for name, content := range sdk {
		// go.mod would cut the SDK out of our module; .gitattributes is for
		// repositories of their own.
		if strings.HasPrefix(filepath.Base(name), ".git") || filepath.Base(name) == "go.mod" {
			continue
		}
		if filepath.Ext(name) == ".go" {
			if content, err = format.Source(append([]byte(license), content...)); err != nil {
				return nil, fmt.Errorf("formatting %s: %w", name, err)
			}
		}
		parts, err := split.Split(filepath.Join(sdkFolder, name), content)
		if err != nil {
			return nil, fmt.Errorf("splitting %s: %w", name, err)
		}
		maps.Copy(files, parts)
	}
	return files, nil
}

// Write puts the files below root and removes what an earlier schema left.
func Write(root string, files map[string][]byte) error {
	stale, err := Existing(root)
	if err != nil {
		return err
	}
	for name := range stale {
		if _, ok := files[name]; !ok {
			if err := os.Remove(filepath.Join(root, name)); err != nil {
				return err
			}
		}
	}
	for name, content := range files {
		// An unchanged file keeps its time, so that nothing is rebuilt for it.
		if bytes.Equal(stale[name], content) {
			continue
		}
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Existing reads the generated files that are below root now.
func Existing(root string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := filepath.WalkDir(filepath.Join(root, sdkFolder), func(path string, d os.DirEntry, err error) error {
		if os.IsNotExist(err) || (err == nil && d.IsDir()) {
			return nil
		}
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		files[name] = content
		return err
	})
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(filepath.Join(root, schemaFile))
	if err == nil {
		files[schemaFile] = content
	} else if !os.IsNotExist(err) {
		return nil, err
	}
	return files, nil
}
