// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// settings reads the configuration of a stack as Pulumi would hand it over.
func settings(t *testing.T, file string) map[string]any {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Config map[string]any `yaml:"config"`
	}
	if err := yaml.Unmarshal(raw, &f); err != nil {
		t.Fatal(err)
	}
	return f.Config
}

// local is the JSON of the local environment, changed by the edit.
func local(t *testing.T, edit func(env map[string]any)) []byte {
	t.Helper()
	env := settings(t, "Pulumi.local.yaml")["spine:environment"].(map[string]any)
	if edit != nil {
		edit(env)
	}
	raw, err := json.Marshal(env)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestEveryEnvironmentIsValid(t *testing.T) {
	files, err := filepath.Glob("Pulumi.*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no environments: %v", err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			config := settings(t, file)
			if got := config["pulumi:disable-default-providers"]; !reflect.DeepEqual(got, []any{"*"}) {
				t.Errorf("pulumi:disable-default-providers is %v, want [*]: every provider must be explicit", got)
			}
			raw, err := json.Marshal(config["spine:environment"])
			if err != nil {
				t.Fatal(err)
			}
			switch kind := config["spine:kind"]; kind {
			case string(KindBaremetalSite):
				env, err := Parse(raw)
				if err != nil {
					t.Fatal(err)
				}
				if w := env.Warnings(); len(w) > 0 {
					t.Errorf("warnings: %v", w)
				}
			case string(KindAWS):
				env, _, err := ParseCloud(raw)
				if err != nil {
					t.Fatal(err)
				}
				if want := strings.TrimSuffix(strings.TrimPrefix(file, "Pulumi."), ".yaml"); env.Name != want {
					t.Errorf("name is %q, want that of its stack: %q", env.Name, want)
				}
			default:
				t.Fatalf("spine:kind is %v", kind)
			}
		})
	}
}

func TestDefaultKeepsWhatWasGiven(t *testing.T) {
	env, err := Parse(local(t, func(env map[string]any) {
		env["ssh"].(map[string]any)["port"] = 2222
		env["timings"] = map[string]any{"evictionSeconds": 60}
	}))
	if err != nil {
		t.Fatal(err)
	}
	if env.SSH.Port != 2222 || env.Timings.EvictionSeconds != 60 {
		t.Errorf("given values were changed: %+v %+v", env.SSH, env.Timings)
	}
	if env.SSH.User != "root" || env.Timings.EtcdElectionMs != 1500 || env.Kubernetes.PodCIDR != "10.244.0.0/16" || env.Hosts[2].Requirements.MemoryMiB != 4096 {
		t.Errorf("defaults are missing: %+v", env)
	}
	before := *env
	env.Default()
	if !reflect.DeepEqual(before, *env) {
		t.Error("a second Default changed something")
	}
}

func TestWarnings(t *testing.T) {
	env, err := Parse(local(t, func(env map[string]any) {
		hosts := env["hosts"].([]any)
		hosts[2].(map[string]any)["role"] = "Worker"
	}))
	if err != nil {
		t.Fatal(err)
	}
	if w := env.Warnings(); len(w) != 1 || !strings.Contains(w[0], "2 control planes") {
		t.Errorf("two control planes: %v", w)
	}
	env, err = Parse(local(t, func(env map[string]any) {
		delete(env, "messaging") // its database needs three racks
		delete(env, "booking")
		delete(env, "backups")
		hosts := env["hosts"].([]any)
		hosts[1].(map[string]any)["rack"] = "r1"
	}))
	if err != nil {
		t.Fatal(err)
	}
	if w := env.Warnings(); len(w) != 1 || !strings.Contains(w[0], "rack r1") {
		t.Errorf("two control planes in one rack: %v", w)
	}
	env, err = Parse(local(t, func(env map[string]any) {
		hosts := env["hosts"].([]any)
		hosts[0].(map[string]any)["hostKey"] = anotherKey
		hosts[1].(map[string]any)["hostKey"] = anotherKey + " comment"
	}))
	if err != nil {
		t.Fatal(err)
	}
	if w := env.Warnings(); len(w) != 1 || !strings.Contains(w[0], "a and b have the same SSH host key") {
		t.Errorf("one key on two hosts: %v", w)
	}
}

// TestFieldsAreNamed guards fill, which relies on every field having a tag of
// a kind it knows.
func TestFieldsAreNamed(t *testing.T) {
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice:
			walk(typ.Elem())
		case reflect.Struct:
			for i := range typ.NumField() {
				f := typ.Field(i)
				if tag := f.Tag.Get("json"); tag == "" || strings.Contains(tag, ",") {
					t.Errorf("%s.%s: tag %q is no plain name", typ, f.Name, tag)
				}
				walk(f.Type)
			}
		case reflect.String, reflect.Int:
		default:
			t.Errorf("%s is a kind that Decode does not know", typ)
		}
	}
	walk(reflect.TypeFor[Environment]())
	walk(reflect.TypeFor[Catalogue]())
	walk(reflect.TypeFor[Cloud]())
}
