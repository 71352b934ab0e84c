// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// used finds the constructors that programs call: names such as NewVpc, by the SDK's package. Folders that are not there
// hold none.
func used(root string, folders ...string) (map[string][]string, error) {
	calls := map[string][]string{}
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return usedIn(path, text, calls)
		})
		if err != nil {
			return nil, err
		}
	}
	for name := range calls {
		slices.Sort(calls[name])
		calls[name] = slices.Compact(calls[name])
	}
	return calls, nil
}

func usedIn(name string, text []byte, calls map[string][]string) error {
	file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	local := map[string]string{} // the SDK's packages by the name that the file knows them by
	for _, i := range file.Imports {
		imported, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return err
		}
		below, ok := strings.CutPrefix(imported, module+"/go/aws/")
		if !ok {
			continue
		}
		as := path.Base(below)
		if i.Name != nil {
			as = i.Name.Name
		}
		local[as] = below
	}
	ast.Inspect(file, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok || !strings.HasPrefix(s.Sel.Name, "New") {
			return true
		}
		if x, ok := s.X.(*ast.Ident); ok && local[x.Name] != "" {
			calls[local[x.Name]] = append(calls[local[x.Name]], s.Sel.Name)
		}
		return true
	})
	return nil
}
