// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"gotest.tools/v3/golden"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/cost"
)

func ask(t *testing.T, args ...string) (string, error) {
	t.Helper()
	t.Setenv("PULUMI_STACK", "")
	var out bytes.Buffer
	a := &app{out: &out, project: os.DirFS("../../.."), book: cost.Published()}
	err := a.run(args)
	return out.String(), err
}

func TestEffective(t *testing.T) {
	for _, stack := range []string{"ers-live", "ers-ft1", "local"} {
		out, err := ask(t, "effective", "-s", stack)
		if err != nil {
			t.Fatal(err)
		}
		golden.Assert(t, out, stack+".txt")
	}
}

func TestEffectiveAsJSON(t *testing.T) {
	out, err := ask(t, "effective", "-s", "ers-dr", "-o", "json")
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Stack, Kind, File string
		Values            []environments.Value
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	origins := map[string]environments.Origin{}
	for _, v := range got.Values {
		origins[v.Path] = v.Origin
	}
	if got.Stack != "ers-dr" || got.Kind != "aws" || got.File != "environments/Pulumi.ers-dr.yaml" ||
		origins["live.standbyOf"] != "file" || origins["recovery.standby"] != "class Recovery" || origins["recovery.hours"] != "tier gold" ||
		origins["network.egress[0].cidr"] != "file" || origins["region"] != "default" {
		t.Errorf("got %+v", got)
	}
}

func TestList(t *testing.T) {
	out, err := ask(t, "list")
	if err != nil {
		t.Fatal(err)
	}
	golden.Assert(t, out, "list.txt")
	if out, err = ask(t, "list", "-o", "json"); err != nil || !json.Valid([]byte(out)) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"none":        {[]string{"effective"}, "which environment? Give its stack by -s, or set PULUMI_STACK: ers-demo,"},
		"unknown":     {[]string{"effective", "-s", "ers-prod"}, "there is no environment ers-prod: they are ers-demo,"},
		"format":      {[]string{"list", "-o", "yaml"}, `-o is "yaml": it must be one of text, json`},
		"no argument": {[]string{"list", "ers-live"}, "unknown command"},
	} {
		if _, err := ask(t, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	a := &app{out: &bytes.Buffer{}, book: cost.Published(), project: fstest.MapFS{
		"environments/Pulumi.x.yaml": {Data: []byte("config: {spine:kind: aws, spine:environment: {name: x, teir: gold}}")},
	}}
	if err := a.run([]string{"effective", "-s", "x"}); err == nil || !strings.Contains(err.Error(), `environments/Pulumi.x.yaml: `) || !strings.Contains(err.Error(), `did you mean "tier"?`) {
		t.Errorf("got %v", err)
	}
}

func TestCompletion(t *testing.T) {
	out, err := ask(t, "__complete", "effective", "-s", "")
	if err != nil || !strings.Contains(out, "ers-live\n") || !strings.Contains(out, "local\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestAnEnvironmentIsGivenByItsFlag(t *testing.T) {
	if _, err := ask(t, "effective", "ers-live"); err == nil || !strings.Contains(err.Error(), "environments effective -s ers-live") {
		t.Errorf("got %v", err)
	}
}
