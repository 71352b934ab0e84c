// SPDX-License-Identifier: Apache-2.0

package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"spine.nhs.uk/controlplane/hack/awsdouble/table"
)

// sdkPackage is one package of the SDK, as far as it concerns shapes.
type sdkPackage struct {
	name    string
	structs map[string]*ast.StructType
	// tokens are the types by their constructor; required are the Go names of fields that a constructor insists on.
	tokens   map[string]string
	required map[string]map[string]bool
	// reached are the nested types that were referred to so far, by their name in the table.
	reached map[string]table.Fields
}

func readPackage(dir, name string) (*sdkPackage, error) {
	p := &sdkPackage{
		name: name, structs: map[string]*ast.StructType{}, tokens: map[string]string{},
		required: map[string]map[string]bool{}, reached: map[string]table.Fields{},
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.IsDir() || filepath.Ext(e.Name()) != ".go" || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, e.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.GenDecl:
				p.declare(d)
			case *ast.FuncDecl:
				if d.Recv == nil && strings.HasPrefix(d.Name.Name, "New") && d.Body != nil {
					p.constructor(d)
				}
			}
		}
	}
	return p, nil
}

func (p *sdkPackage) declare(d *ast.GenDecl) {
	for _, s := range d.Specs {
		if t, ok := s.(*ast.TypeSpec); ok {
			if st, ok := t.Type.(*ast.StructType); ok {
				p.structs[t.Name.Name] = st
			}
		}
	}
}

// constructor notes the token that a constructor registers, and which arguments it refuses to go without: those that it
// compares with nil, in order to return an error.
func (p *sdkPackage) constructor(d *ast.FuncDecl) {
	name, required := d.Name.Name, map[string]bool{}
	ast.Inspect(d.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "RegisterResource" && len(n.Args) > 0 {
				if literal, ok := n.Args[0].(*ast.BasicLit); ok {
					if t, err := strconv.Unquote(literal.Value); err == nil && strings.HasPrefix(t, "aws:") {
						p.tokens[name] = t
					}
				}
			}
		case *ast.IfStmt:
			c, ok := n.Cond.(*ast.BinaryExpr)
			if !ok || c.Op != token.EQL || len(n.Body.List) != 1 {
				return true
			}
			_, refuses := n.Body.List[0].(*ast.ReturnStmt)
			if s, ok := c.X.(*ast.SelectorExpr); ok && refuses {
				required[s.Sel.Name] = true
			}
		}
		return true
	})
	p.required[name] = required
}

// resource is the shape of what a constructor makes.
func (p *sdkPackage) resource(constructor string) *table.Type {
	name := strings.TrimPrefix(constructor, "New")
	plain := strings.ToLower(name[:1]) + name[1:]
	t := &table.Type{Inputs: p.fields(plain+"Args", p.required[constructor]), Outputs: p.fields(plain+"State", nil)}
	// The plain state says what kind an output is; the resource itself says whether it is always there.
	if st := p.structs[name]; st != nil {
		for _, f := range st.Fields.List {
			output := "" // pulumi.StringOutput, or BrokerUserArrayOutput of the package itself
			switch e := f.Type.(type) {
			case *ast.SelectorExpr:
				output = e.Sel.Name
			case *ast.Ident:
				output = e.Name
			}
			if property := propertyOf(f); property != "" && !strings.HasSuffix(output, "PtrOutput") && t.Outputs[property] != "" {
				t.Outputs[property] += "!"
			}
		}
	}
	return t
}

// fields reads the properties of a struct. Lists and maps cannot be told to be required by their Go type; required names
// those that a constructor insists on.
func (p *sdkPackage) fields(name string, required map[string]bool) table.Fields {
	fields := table.Fields{}
	st := p.structs[name]
	if st == nil {
		return fields
	}
	for _, f := range st.Fields.List {
		property := propertyOf(f)
		if property == "" {
			continue
		}
		kind := p.kind(f.Type)
		goName := ""
		if len(f.Names) == 1 {
			goName = f.Names[0].Name
		}
		if _, plain := f.Type.(*ast.Ident); plain || required[goName] {
			kind += "!" // What may be left out is a pointer.
		}
		fields[property] = kind
	}
	return fields
}

func propertyOf(f *ast.Field) string {
	if f.Tag == nil {
		return ""
	}
	tag := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("pulumi")
	name, _, _ := strings.Cut(tag, ",")
	return name
}

// kind is the table's word for a Go type.
func (p *sdkPackage) kind(e ast.Expr) table.Kind {
	switch e := e.(type) {
	case *ast.StarExpr:
		return p.kind(e.X)
	case *ast.ArrayType:
		return "[" + p.kind(e.Elt) + "]"
	case *ast.MapType:
		return "{" + p.kind(e.Value) + "}"
	case *ast.InterfaceType:
		return "any"
	case *ast.SelectorExpr: // pulumi.Archive and pulumi.AssetOrArchive
		return "asset"
	case *ast.Ident:
		switch e.Name {
		case "string", "bool", "int":
			return table.Kind(e.Name)
		case "float64":
			return "number"
		}
		if p.structs[e.Name] == nil {
			return "string" // one of the SDK's lists of known values, which is open
		}
		name := p.name + "." + e.Name
		if _, ok := p.reached[name]; !ok {
			p.reached[name] = table.Fields{} // before its fields: a type may hold itself
			p.reached[name] = p.fields(e.Name, nil)
		}
		return table.Kind("#" + name)
	}
	return "any"
}
