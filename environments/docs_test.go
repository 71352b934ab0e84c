// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
	"testing"
)

// TestFieldsAreDocumented holds comments to begin with the key that people
// write, which is what they look for.
func TestFieldsAreDocumented(t *testing.T) {
	fields := 0
	look := func(n ast.Node) bool {
		s, ok := n.(*ast.StructType)
		if !ok {
			return true
		}
		for _, f := range s.Fields.List {
			fields++
			key := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json")
			if !strings.HasPrefix(f.Doc.Text(), key+" ") || len(f.Doc.Text()) < len(key)+10 {
				t.Errorf("the comment on %s does not begin with %q and say what it is", f.Names[0], key)
			}
		}
		return true
	}
	for _, name := range []string{"environment.go", "backups.go", "management.go", "services.go", "catalogue.go", "operations.go", "pair.go", "pair_place.go", "waivers.go",
		"cloud.go", "cloud_operate.go", "cloud_fence.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, look)
	}
	if fields < 120 {
		t.Errorf("only %d fields were looked at", fields)
	}
}
