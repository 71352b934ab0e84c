// SPDX-License-Identifier: Apache-2.0

// Package split cuts generated Go files that are too long to be read.
package split

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"path"
	"strconv"
	"strings"
)

// maxLines of a generated file, its imports aside: Pulumi's generator puts the types of a
// whole module into one, and controller-gen the copying of a whole group.
const maxLines = 450

// Split cuts a Go file that is too long between its declarations. The first part keeps the
// name; the others are numbered from 2: pulumiTypes.go, pulumiTypes2.go.
func Split(name string, content []byte) (map[string][]byte, error) {
	if path.Ext(name) != ".go" || bytes.Count(content, []byte("\n")) <= maxLines {
		return map[string][]byte{name: content}, nil
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, content, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	line := func(p token.Pos) int { return set.Position(p).Line }
	// Whatever stands before a declaration, its comment for one, goes with it.
	head := line(file.Name.End())
	var decls []ast.Decl
	begin := head
	for _, d := range file.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			begin = line(g.End())
			continue
		}
		decls = append(decls, d)
	}
	lines := strings.SplitAfter(string(content), "\n")
	parts := map[string][]byte{}
	for first := 0; first < len(decls); {
		next, end := first, begin
		for next < len(decls) && (next == first || line(decls[next].End())-begin <= maxLines) {
			end = line(decls[next].End())
			next++
		}
		to := name
		if n := len(parts); n > 0 {
			to = strings.TrimSuffix(name, ".go") + strconv.Itoa(n+1) + ".go"
		}
		text := strings.Join(lines[:head], "") + imports(file, decls[first:next]) + strings.Join(lines[begin:end], "")
		if parts[to], err = format.Source([]byte(text)); err != nil {
			return nil, fmt.Errorf("%s: %w", to, err)
		}
		first, begin = next, end
	}
	return parts, nil
}

// imports writes those of the file that the declarations use.
func imports(file *ast.File, decls []ast.Decl) string {
	used := map[string]bool{}
	for _, d := range decls {
		ast.Inspect(d, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok {
					used[x.Name] = true
				}
			}
			return true
		})
	}
	var out strings.Builder
	for _, i := range file.Imports {
		unquoted, _ := strconv.Unquote(i.Path.Value) // the parser has accepted it
		local := path.Base(unquoted)
		if i.Name != nil {
			local = i.Name.Name
		}
		if !used[local] {
			continue
		}
		out.WriteString("import ")
		if i.Name != nil {
			out.WriteString(local + " ")
		}
		out.WriteString(i.Path.Value + "\n")
	}
	return "\n" + out.String()
}
