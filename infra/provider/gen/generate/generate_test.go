// SPDX-License-Identifier: Apache-2.0

package generate

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

// The schema and SDK checked in are what the argument structs say.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	want, err := Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	have, err := Existing("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !bytes.Equal(want[name], have[name]) {
			t.Errorf("%s is out of date: run `go generate ./infra/provider`", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is no longer generated: run `go generate ./infra/provider`", name)
		}
	}
}

// Programs that use the SDK must not drag in the engine or the provider.
func TestSDKNeedsThePulumiSDKOnly(t *testing.T) {
	files, err := Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		for _, bad := range []string{"github.com/pulumi/pulumi/pkg/", "github.com/pulumi/pulumi-go-provider"} {
			if filepath.Ext(name) == ".go" && bytes.Contains(content, []byte(`"`+bad)) {
				t.Errorf("%s imports %s", name, bad)
			}
		}
	}
}

func TestEveryPropertyIsDescribed(t *testing.T) {
	missing, err := undescribed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(missing) > 0 {
		t.Errorf("no description: %s", strings.Join(missing, ", "))
	}
}

// undescribed names the properties, types and resources without documentation.
func undescribed(ctx context.Context) ([]string, error) {
	spec, err := schemaOf(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	check := func(name, description string, properties ...map[string]schema.PropertySpec) {
		if description == "" {
			out = append(out, name)
		}
		for _, m := range properties {
			for property, s := range m {
				if s.Description == "" {
					out = append(out, name+"."+property)
				}
			}
		}
	}
	for name, r := range spec.Resources {
		check(name, r.Description, r.Properties, r.InputProperties)
	}
	for name, t := range spec.Types {
		check(name, t.Description, t.Properties)
	}
	for name, f := range spec.Functions {
		check(name, f.Description, f.Inputs.Properties, f.ReturnType.ObjectTypeSpec.Properties)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func TestWriteRemovesWhatIsStale(t *testing.T) {
	root := t.TempDir()
	if err := Write(root, map[string][]byte{"schema.json": []byte("1"), "sdk/a.go": []byte("a"), "sdk/b/c.go": []byte("c")}); err != nil {
		t.Fatal(err)
	}
	next := map[string][]byte{"schema.json": []byte("2"), "sdk/b/c.go": []byte("d")}
	if err := Write(root, next); err != nil {
		t.Fatal(err)
	}
	have, err := Existing(root)
	if err != nil || !maps.EqualFunc(have, next, bytes.Equal) {
		t.Errorf("got %q, %v", have, err)
	}
	if _, err := os.Stat(filepath.Join(root, "sdk/a.go")); !os.IsNotExist(err) {
		t.Errorf("a stale file is there: %v", err)
	}
}
