// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"
)

func TestEveryCatalogueIsValid(t *testing.T) {
	files, err := filepath.Glob("catalogue/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no catalogues: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := yaml.YAMLToJSONStrict(text)
		if err != nil {
			t.Fatal(err)
		}
		c, errs := ParseCatalogue(raw, field.NewPath("catalogue"))
		if len(errs) > 0 {
			t.Errorf("%s: %v", file, errs.ToAggregate())
		}
		patterns := map[string]bool{}
		for _, r := range c.Routes {
			patterns[r.Pattern] = true
		}
		// A site of Spine has all of them; e-RS sends events.
		if wanted := map[bool]int{true: 1, false: 5}[file == "catalogue/ers.yaml"]; len(patterns) != wanted {
			t.Errorf("%s has the patterns %v", file, patterns)
		}
	}
}

func TestCatalogueProblems(t *testing.T) {
	const good = `{"suppliers":[{"name":"a"}],"routes":[{"interaction":"I","pattern":"ForwardExpress","supplier":"a"}],` +
		`"mailboxes":[{"id":"M1","organisation":"X26","supplier":"a","workflows":["I"],"certificateNames":["m1"]}]}`
	c, errs := ParseCatalogue([]byte(good), field.NewPath("c"))
	if len(errs) > 0 || c.Routes[0].Timeout != "30s" || c.Mailboxes[0].Name != "M1" || c.Mailboxes[0].Interface != InterfaceMesh {
		t.Fatalf("%v, %+v", errs, c)
	}
	for name, change := range map[string]struct{ old, new, want string }{
		"unknown key":          {`"interaction"`, `"interactoin"`, `c.routes[0].interactoin: Forbidden: unknown key; did you mean "interaction"?`},
		"unknown pattern":      {"ForwardExpress", "Forward", `c.routes[0].pattern: Unsupported value: "Forward"`},
		"no contract":          {"ForwardExpress", "ForwardReliable", "c.routes[0].reliability: Required value"},
		"no endpoint":          {"ForwardExpress", "Sync", "c.routes[0].endpoint: Invalid value"},
		"endpoint for inbox":   {`"supplier":"a"}],`, `"supplier":"a","endpoint":"https://a.b"}],`, "c.routes[0].endpoint: Forbidden"},
		"retries for express":  {`"supplier":"a"}],`, `"supplier":"a","reliability":{"retries":1,"retryInterval":"1m"}}],`, "c.routes[0].reliability.retries: Forbidden"},
		"another's supplier":   {`"supplier":"a","workflows"`, `"supplier":"b","workflows"`, `c.mailboxes[0].supplier: Invalid value: "b": is not one of suppliers`},
		"unknown workflow":     {`["I"]`, `["J"]`, `c.mailboxes[0].workflows[0]: Invalid value: "J": is not one of the interactions of routes`},
		"all and more":         {`["I"]`, `["*","I"]`, `c.mailboxes[0].workflows[0]: Invalid value: "*"`},
		"lower case":           {`"M1"`, `"m1"`, `c.mailboxes[0].id: Invalid value: "m1"`},
		"no certificate":       {`["m1"]`, `[]`, "c.mailboxes[0].certificateNames: Required value"},
		"not a catalogue":      {`{"sup`, `[{"sup`, "c: Invalid value"},
		"no routes":            {`"routes":[{"interaction":"I","pattern":"ForwardExpress","supplier":"a"}],`, "", "c.routes: Required value"},
		"long time to deliver": {`"supplier":"a"}],`, `"supplier":"a","reliability":{"persistDuration":"800h"}}],`, "c.routes[0].reliability.persistDuration: Invalid value"},
	} {
		t.Run(name, func(t *testing.T) {
			_, errs := ParseCatalogue([]byte(strings.Replace(good, change.old, change.new, 1)), field.NewPath("c"))
			if len(errs) == 0 || !strings.HasPrefix(errs[0].Error(), change.want) {
				t.Errorf("got %v\nwant %s", errs, change.want)
			}
		})
	}
}

func FuzzParseCatalogue(f *testing.F) {
	f.Add([]byte(`{"suppliers":[{"name":"a"}],"routes":[{"interaction":"I","pattern":"Sync","supplier":"a"}]}`))
	f.Add([]byte(`{"routes":[{"reliability":{"retries":1}}],"mailboxes":[{"workflows":["*"]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, errs := ParseCatalogue(raw, field.NewPath("c"))
		if len(errs) == 0 && len(c.Routes) == 0 {
			t.Fatal("a catalogue without routes was accepted")
		}
	})
}
