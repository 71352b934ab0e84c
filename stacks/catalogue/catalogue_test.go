// SPDX-License-Identifier: Apache-2.0

package catalogue

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/cost"
)

func read(t *testing.T) []File {
	t.Helper()
	files, err := Read(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestEveryEnvironmentPasses(t *testing.T) {
	files, clouds := read(t), 0
	for _, f := range files {
		if f.Kind != environments.KindAWS {
			continue
		}
		clouds++
		if _, err := Check(f.Stack, f.Environment, files, cost.Published()); err != nil {
			t.Errorf("%s: %v", f.Path, err)
		}
	}
	if clouds < 22 {
		t.Errorf("only %d environments in AWS were checked", clouds)
	}
}

// TestAllAtOnce has one mistake of every kind that the issue of this folder names.
func TestAllAtOnce(t *testing.T) {
	files := read(t)
	i := slices.IndexFunc(files, func(f File) bool { return f.Stack == "ers-live" })
	text := string(files[i].Environment)
	for _, edit := range []struct{ old, new string }{
		{`"owner":"ers-platform",`, ``},
		{`"class":"Live"`, `"class":"Live","tier":"diamond","region":"us-east-1","colour":1`},
		{`"100000000901"`, `"200000000105"`},
		{`"10.160.0.0/16"`, `"10.164.0.0/16"`},
		{`"clientAuthoritiesFile":`, `"shield":7,"clientAuthoritiesFile":`},
		{`"network":`, `"database":{"instanceClass":"db.x2g.16xlarge"},"cluster":{"instanceType":"u-24tb1.metal"},"network":`},
	} {
		if !strings.Contains(text, edit.old) {
			t.Fatalf("%s is not in %s", edit.old, text)
		}
		text = strings.Replace(text, edit.old, edit.new, 1)
	}
	_, err := Check("ers-live", []byte(text), files, cost.Published())
	var all *environments.Error
	if !errors.As(err, &all) {
		t.Fatalf("got %v, want problems", err)
	}
	want := []string{
		"colour: Forbidden: unknown key", "edge.shield: Invalid value: 7: this must be text", "owner: Required value",
		`tier: Unsupported value: "diamond"`, `region: Invalid value: "us-east-1": is outside the United Kingdom`,
		`network.cidr: Invalid value: "10.164.0.0/16": overlaps network.cidr 10.164.0.0/16 of ers-ft1`,
		`live.backupAccount: Invalid value: "200000000105": is an account of ers-ft1, which is non-live`,
		`cluster.instanceType: Invalid value: "u-24tb1.metal": has no price in the price book`,
		`database.instanceClass: Invalid value: "db.x2g.16xlarge": has no price in the price book`,
	}
	var got []string
	for _, p := range all.Problems {
		got = append(got, p.Error())
	}
	for i, w := range want {
		if i >= len(got) || !strings.HasPrefix(got[i], w) {
			t.Fatalf("problem %d is not %q in\n%s", i, w, strings.Join(got, "\n"))
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d problems, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
}

func TestCheckWithoutMuch(t *testing.T) {
	if _, err := Check("x", nil, nil, cost.Published()); err == nil || !strings.Contains(err.Error(), "spine:environment is missing") {
		t.Errorf("got %v", err)
	}
	files := read(t)
	i := slices.IndexFunc(files, func(f File) bool { return f.Stack == "ers-ft1" })
	if _, err := Check("ers-ft2", files[i].Environment, nil, cost.Published()); err == nil || !strings.Contains(err.Error(), "must be the name of the stack, ers-ft2") {
		t.Errorf("got %v", err)
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no mapping": {"- a", "spine:kind and spine:environment are not where they should be"},
		"no kind":    {"config: {}", "spine:kind and spine:environment are not where they should be"},
		"twice":      {"config: {spine:kind: aws, spine:kind: aws}", `key "spine:kind" already set`},
		"no YAML":    {"config: [", "environments/Pulumi.x.yaml"},
	} {
		if _, err := Read(fstest.MapFS{"environments/Pulumi.x.yaml": {Data: []byte(c.text)}}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	if _, err := Read(fstest.MapFS{}); err == nil || !strings.Contains(err.Error(), "run this at the top of the checkout") {
		t.Errorf("got %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("config:\n  spine:kind: aws\n  spine:environment: {name: x, class: Live}\n"))
	f.Add([]byte("config: {spine:kind: aws}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		files, err := Read(fstest.MapFS{"environments/Pulumi.x.yaml": {Data: text}})
		if err != nil {
			return
		}
		if env, err := Check("x", files[0].Environment, files, cost.Published()); err == nil && env.Name != "x" {
			t.Fatalf("%s passed as the environment of the stack x", env.Name)
		}
	})
}
