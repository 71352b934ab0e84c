// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"slices"
	"strings"
	"testing"
)

const module = "example.org/m"

// edges builds what `go list -deps` would print from lines "importer: import import";
// "test importer: ..." are imports of its tests. Names without a dot in their first
// element and not in a known folder are of this module.
func edges(lines ...string) []goPackage {
	byPath := map[string]*goPackage{}
	get := func(name string) *goPackage {
		p, ok := byPath[name]
		if !ok {
			p = &goPackage{ImportPath: name, Standard: isStandard(name)}
			if strings.HasPrefix(name, module) {
				p.Module = &struct {
					Path string
					Main bool
				}{module, true}
			}
			byPath[name] = p
		}
		return p
	}
	full := func(name string) string {
		if strings.HasPrefix(name, "m/") {
			return "example.org/" + name
		}
		return name
	}
	for _, l := range lines {
		importer, imports, _ := strings.Cut(l, ": ")
		importer, test := strings.CutPrefix(importer, "test ")
		p := get(full(importer))
		for imp := range strings.FieldsSeq(imports) {
			get(full(imp))
			if test {
				p.TestImports = append(p.TestImports, full(imp))
			} else {
				p.Imports = append(p.Imports, full(imp))
			}
		}
	}
	var out []goPackage
	for _, p := range byPath {
		out = append(out, *p)
	}
	return out
}

func TestImportDirections(t *testing.T) {
	tests := map[string]struct {
		lines []string
		want  string // the start of the only finding; empty: none
	}{
		"stacks joins": {lines: []string{"m/stacks/site: m/environments m/infra/baremetal/site m/operators/manifests"}},
		"environments never see infra": {
			[]string{"m/environments: m/infra/naming"},
			"environments: imports infra/naming: environments may import of this module only itself"},
		"infra never sees environments": {
			[]string{"m/infra/baremetal/site: m/environments"},
			"infra/baremetal/site: imports environments: infra/baremetal may import of this module only itself, infra/component"},
		"environments are plain": {
			[]string{"m/environments: sigs.k8s.io/yaml"},
			"environments: imports sigs.k8s.io/yaml: environments may import only the standard library, k8s.io/apimachinery"},
		"environments use field paths": {lines: []string{"m/environments: k8s.io/apimachinery/pkg/util/validation/field encoding/json"}},
		"metal and AWS": {
			[]string{"m/infra/aws/cluster: m/infra/baremetal/cluster"},
			"infra/aws/cluster: imports infra/baremetal/cluster"},
		"AWS and metal": {
			[]string{"m/infra/baremetal/cluster: m/infra/aws/cluster"},
			"infra/baremetal/cluster: imports infra/aws/cluster"},
		"bare metal uses the SDK": {lines: []string{"m/infra/baremetal/cluster: m/infra/provider/sdk/spine/baremetal m/infra/component"}},
		"bare metal stays off the provider": {
			[]string{"m/infra/baremetal/cluster: m/infra/provider/remote"},
			"infra/baremetal/cluster: imports infra/provider/remote"},
		"the SDK is light": {
			[]string{"m/infra/provider/sdk/spine: m/infra/provider/baremetal"},
			"infra/provider/sdk/spine: imports infra/provider/baremetal"},
		"the SDK's libraries": {
			[]string{"m/infra/provider/sdk/spine: github.com/pulumi/pulumi/pkg/v3"},
			"infra/provider/sdk/spine: imports github.com/pulumi/pulumi/pkg/v3"},
		"nothing imports hack": {
			[]string{"m/infra/cmd/x: m/hack/rack"},
			"infra/cmd/x: imports hack/rack: nothing imports hack"},
		"not even tests": {
			[]string{"test m/stacks: m/hack/rack"},
			"stacks: its tests import hack/rack: nothing imports hack"},
		"hack imports anything": {lines: []string{"m/hack/e2e: m/hack/rack m/infra/provider m/environments m/operators/api/x/v1"}},
		"controllers stand apart": {
			[]string{"m/operators/controllers/failover: m/operators/controllers/recovery"},
			"operators/controllers/failover: imports operators/controllers/recovery: folders of operators/controllers never import each other"},
		"a controller's own parts": {lines: []string{"m/operators/controllers/failover: m/operators/controllers/failover/steps"}},
		"a controller's libraries": {lines: []string{"m/operators/controllers/failover: m/operators/decide/quorum m/operators/kit m/operators/ports m/operators/desired/x"}},
		"controllers and adapters": {
			[]string{"m/operators/controllers/failover: m/operators/adapters/redfish"},
			"operators/controllers/failover: imports operators/adapters/redfish"},
		"cmd wires": {lines: []string{"m/operators/cmd/manager: m/operators/adapters/redfish m/operators/controllers/failover"}},
		"decisions hold no client": {
			[]string{"m/operators/decide/quorum: sigs.k8s.io/controller-runtime/pkg/client"},
			"operators/decide/quorum: imports sigs.k8s.io/controller-runtime/pkg/client"},
		"api is the bottom": {
			[]string{"m/operators/api/x/v1: m/operators/kit"},
			"operators/api/x/v1: imports operators/kit"},
		"test helpers in tests": {lines: []string{"test m/operators/controllers/failover: m/operators/operatortest example.com/testing"}},
		"test helpers in code": {
			[]string{"m/operators/controllers/failover: m/operators/operatortest"},
			"operators/controllers/failover: imports operators/operatortest"},
		"operators without Pulumi, however far": {
			[]string{"m/operators/kit: example.com/a", "example.com/a: example.com/b", "example.com/b: github.com/pulumi/pulumi/sdk/v3/go/pulumi"},
			"operators/kit: reaches github.com/pulumi: example.com/a -> example.com/b -> github.com/pulumi/pulumi/sdk/v3/go/pulumi"},
		"told once, where it starts": {
			[]string{"m/operators/controllers/x: m/operators/kit", "m/operators/kit: github.com/pulumi/pulumi/sdk/v3"},
			"operators/kit: reaches github.com/pulumi"},
		"no layer": {[]string{"m/infra/other: fmt"}, "infra/other: belongs to no layer of the design"},
		"the root": {[]string{"m/tools/x: fmt"}, "tools/x: belongs to no layer of the design"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			packages := edges(tt.lines...)
			// What a line only names is listed as well; findings are about importers.
			var got []string
			for _, f := range checkImports(packages) {
				got = append(got, f.String())
			}
			slices.Sort(got)
			switch {
			case tt.want == "" && len(got) > 0:
				t.Errorf("refused: %v", got)
			case tt.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], tt.want)):
				t.Errorf("got %q, want one finding that starts with %q", got, tt.want)
			}
		})
	}
}

func TestParsePackages(t *testing.T) {
	got, err := parsePackages(strings.NewReader(`{"ImportPath":"fmt","Standard":true}
{"ImportPath":"example.org/m/a","Imports":["fmt"],"Module":{"Path":"example.org/m","Main":true}}`))
	if err != nil || len(got) != 2 || !got[0].Standard || got[1].Module == nil || !got[1].Module.Main {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := parsePackages(strings.NewReader(`{"ImportPath":`)); err == nil {
		t.Error("a cut-off listing was taken for a whole one")
	}
}

func TestEveryLayerIsReached(t *testing.T) {
	for i := range layers {
		for _, p := range layers[i].paths {
			if l, at := layerOf(p + "/x"); l != &layers[i] || at != p {
				t.Errorf("%s: a package there belongs to the layer of %v", p, l.paths)
			}
		}
	}
}

// The repository itself, so that `go test` and `go run` agree on what is listed.
func TestThisRepositoryIsListed(t *testing.T) {
	tr, err := openTree(context.Background(), "../..")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(tr.paths, "hack/verify/main.go") {
		t.Errorf("hack/verify/main.go is not among %d files", len(tr.paths))
	}
}
