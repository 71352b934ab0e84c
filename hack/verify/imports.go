// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// goPackage is what `go list -json` says about one package.
type goPackage struct {
	ImportPath   string
	Standard     bool
	Imports      []string
	TestImports  []string
	XTestImports []string
	Module       *struct {
		Path string
		Main bool
	}
}

// imports lists every package with its dependencies and checks the layers.
func imports(ctx context.Context, root string) ([]finding, error) {
	out, err := output(ctx, root, "go", "list", "-deps",
		"-json=ImportPath,Standard,Imports,TestImports,XTestImports,Module", "./...")
	if err != nil {
		return nil, err
	}
	packages, err := parsePackages(strings.NewReader(out))
	if err != nil {
		return nil, err
	}
	return checkImports(packages), nil
}

func parsePackages(r io.Reader) ([]goPackage, error) {
	var packages []goPackage
	for d := json.NewDecoder(r); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		packages = append(packages, p)
	}
}

// graph holds the packages by import path, and the module's own path.
type graph struct {
	packages map[string]goPackage
	module   string
}

// local returns a package's folder in the repository, and whether it has one.
func (g graph) local(importPath string) (string, bool) {
	if importPath == g.module {
		return "", true
	}
	return strings.CutPrefix(importPath, g.module+"/")
}

func checkImports(packages []goPackage) []finding {
	g := graph{packages: map[string]goPackage{}}
	for _, p := range packages {
		g.packages[p.ImportPath] = p
		if p.Module != nil && p.Module.Main {
			g.module = p.Module.Path
		}
	}
	var out []finding
	for _, p := range packages {
		pkg, ok := g.local(p.ImportPath)
		if !ok {
			continue
		}
		l, at := layerOf(pkg)
		if l == nil {
			out = append(out, finding{path: orRoot(pkg), message: "belongs to no layer of the design: move it, or extend the table in hack/verify/layers.go"})
			continue
		}
		for _, imp := range p.Imports {
			out = append(out, g.edge(pkg, imp, l, at, false)...)
		}
		for _, imp := range unique(p.TestImports, p.XTestImports) {
			out = append(out, g.edge(pkg, imp, l, at, true)...)
		}
		out = append(out, g.reach(pkg, p)...)
	}
	return out
}

func orRoot(pkg string) string {
	if pkg == "" {
		return "."
	}
	return pkg
}

func unique(lists ...[]string) []string {
	all := slices.Concat(lists...)
	slices.Sort(all)
	return slices.Compact(all)
}

// edge checks one direct import against the importer's layer. Tests may use any library,
// and the test helpers of their part of the repository.
func (g graph) edge(pkg, imp string, l *layer, at string, test bool) []finding {
	importer := "imports "
	if test {
		importer = "its tests import "
	}
	refuse := func(target, why string) []finding {
		return []finding{{path: pkg, message: importer + target + ": " + why}}
	}
	target, ok := g.local(imp)
	if !ok {
		if test || l.external == nil || g.packages[imp].Standard || isStandard(imp) {
			return nil
		}
		for _, allowed := range l.external {
			if within(imp, allowed) {
				return nil
			}
		}
		return refuse(imp, strings.Join(l.paths, ", ")+" may import only "+list(l.external, "the standard library")+": "+l.why)
	}
	if other, _ := layerOf(target); other == l {
		if l.apart && within(target, at) && section(target, at) != section(pkg, at) {
			return refuse(target, "folders of "+at+" never import each other: "+l.why)
		}
		return nil
	}
	if within(target, "hack") {
		return refuse(target, "nothing imports hack: it is for those who work on the repository")
	}
	for _, allowed := range l.internal {
		if within(target, allowed) {
			return nil
		}
	}
	for folder, neighbours := range testOnly {
		if test && within(target, folder) && within(pkg, neighbours) {
			return nil
		}
	}
	return refuse(target, strings.Join(l.paths, ", ")+" may import of this module only "+list(l.internal, "itself")+": "+l.why)
}

// isStandard recognises the standard library's packages that -deps does not list, since
// only tests import them: their first element has no dot.
func isStandard(imp string) bool {
	first, _, _ := strings.Cut(imp, "/")
	return !strings.Contains(first, ".")
}

// list reads "a, b and c", starting with what is always allowed.
func list(items []string, always string) string {
	if len(items) == 0 {
		return always
	}
	return always + ", " + strings.Join(items, ", ")
}

// reach reports the shortest chain from the package to what it must never reach. Chains
// through other packages under the same rule are theirs to report.
func (g graph) reach(pkg string, p goPackage) []finding {
	var out []finding
	for _, rule := range never {
		if !within(pkg, rule.from) {
			continue
		}
		if chain := g.chain(p, rule.from, rule.target); chain != nil {
			out = append(out, finding{path: pkg, message: fmt.Sprintf("reaches %s: %s: %s", rule.target, strings.Join(chain, " -> "), rule.why)})
		}
	}
	return out
}

func (g graph) chain(p goPackage, from, target string) []string {
	type step struct {
		path  string
		chain []string
	}
	seen := map[string]bool{p.ImportPath: true}
	queue := []step{{p.ImportPath, nil}}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		for _, imp := range g.packages[s.path].Imports {
			if seen[imp] {
				continue
			}
			seen[imp] = true
			chain := append(slices.Clone(s.chain), imp)
			if within(imp, target) {
				return chain
			}
			if folder, ok := g.local(imp); ok && within(folder, from) {
				continue
			}
			queue = append(queue, step{imp, chain})
		}
	}
	return nil
}
