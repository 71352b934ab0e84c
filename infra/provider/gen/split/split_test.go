// SPDX-License-Identifier: Apache-2.0

package split

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	var source strings.Builder
	source.WriteString("// license\n\npackage p\n\nimport (\n\t\"context\"\n\ts \"strings\"\n)\n")
	for i := range 600 {
		body := "type T%[1]d struct{ context.Context }\n"
		if i >= 500 {
			body = "var V%[1]d = s.Repeat(\"a\", %[1]d)\n"
		}
		fmt.Fprintf(&source, "\n// About %[1]d.\n"+body, i)
	}
	parts, err := Split("a/p.go", []byte(source.String()))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for n := range len(parts) {
		name := "a/p.go"
		if n > 0 {
			name = fmt.Sprintf("a/p%d.go", n+1)
		}
		text := string(parts[name])
		if lines := strings.Count(text, "\n"); lines > 500 || !strings.HasPrefix(text, "// license\n") {
			t.Errorf("%s: %d lines, begins with %.20q", name, lines, text)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if strings.Contains(text, "context.Context") != strings.Contains(text, `"context"`) || strings.Contains(text, "s.Repeat") != strings.Contains(text, `s "strings"`) {
			t.Errorf("%s does not import what it uses: %v", name, file.Imports)
		}
		for _, d := range file.Decls {
			g := d.(*ast.GenDecl)
			switch spec := g.Specs[0].(type) {
			case *ast.TypeSpec:
				seen[spec.Name.Name] = g.Doc != nil
			case *ast.ValueSpec:
				seen[spec.Names[0].Name] = g.Doc != nil
			}
		}
	}
	if len(seen) != 600 {
		t.Errorf("%d declarations in %d parts, want 600", len(seen), len(parts))
	}
	for name, documented := range seen {
		if !documented {
			t.Errorf("%s lost its comment", name)
		}
	}
	if short, err := Split("b.go", []byte("package b\n")); err != nil || len(short) != 1 || string(short["b.go"]) != "package b\n" {
		t.Errorf("a short file became %q, %v", short, err)
	}
}
