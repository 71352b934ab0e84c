// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Bad input is one clear error, and nothing is written.
func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	log, err := os.ReadFile("testdata/ers-live.events")
	if err != nil {
		t.Fatal(err)
	}
	live := "testdata/ers-live.events"
	tests := map[string]struct {
		args []string
		want string
	}{
		"a cut off log":         {[]string{"preview", "--events", file("cut", string(log[:len(log)/2]))}, "cut off"},
		"another stack's log":   {[]string{"preview", "-s", "other", "--events", live}, "is of the stack ers-live, not of other"},
		"another stack's plan":  {[]string{"preview", "--events", live, "--plan", file("plan", `{"resourcePlans":{"urn:pulumi:other::spine::a::b":{}}}`)}, "a plan of the stack other"},
		"an unknown version":    {[]string{"preview", "--events", live, "--state", file("state", `{"version":99,"deployment":{}}`)}, "its version is 99"},
		"a file that is not":    {[]string{"preview", "--events", filepath.Join(dir, "none")}, "no such file"},
		"several logs":          {[]string{"preview", "--events", live, "--events", live}, "stackdiff matrix"},
		"one stack twice":       {[]string{"matrix", "--events", live, "--events", live}, "two logs are of the stack ers-live"},
		"no stack":              {[]string{"preview"}, "which environment?"},
		"a format":              {[]string{"preview", "-o", "pdf", "--events", live}, "it is one of text, markdown, html, json"},
		"a price book":          {[]string{"preview", "--events", live, "--prices", file("prices", `{}`)}, "date is"},
		"outside of a checkout": {[]string{"matrix"}, "top of the checkout"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			out, errs, code := stackdiff(t, dir, test.args...)
			if code != exitError || out != "" || !strings.Contains(errs, test.want) || strings.Count(errs, "stackdiff:") != 1 {
				t.Errorf("exit code %d, wrote %q, said %q, want %q", code, out, errs, test.want)
			}
		})
	}
}

func TestPricesOfOnesOwn(t *testing.T) {
	book := filepath.Join(t.TempDir(), "book.json")
	if err := os.WriteFile(book, []byte(`{"date":"2026-11-01","currency":"GBP","region":"eu-west-2","hoursPerMonth":730,"sources":{"contract":"ours"},"free":[],
		"prices":[{"type":"spine:baremetal:Host","what":"machine","unit":"month","price":120.5,"source":"contract","published":"2026-11-01"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, _ := stackdiff(t, ".", "preview", "--events", "testdata/ers-live.events", "--prices", book)
	if !strings.Contains(out, "Cost: 120.50 GBP -> 120.50 GBP a month") {
		t.Errorf("%s\n%s", errs, out)
	}
}

// What Pulumi asks no rules about is asked here, and the report says what it is about.
func TestOtherOperations(t *testing.T) {
	for flag, title := range map[string]string{
		"--destroy":          "What a destroy would take away in ers-live",
		"--refresh":          "What a refresh would write into the state of ers-live",
		"--import=what.json": "What an import would take into ers-live",
	} {
		operation, _, _ := strings.Cut(flag[2:], "=")
		out, errs, code := stackdiff(t, ".", "preview", flag, "--events", "testdata/ers-live.events")
		for _, want := range []string{title, "Rules: do not run this " + operation + ", which Pulumi itself would not refuse."} {
			if code != exitWrong || errs != "" || !strings.Contains(out, want) {
				t.Errorf("%s: %d, %q, %q is missing in\n%.400s", flag, code, errs, want, out)
			}
		}
	}
	if _, errs, code := stackdiff(t, ".", "preview", "--destroy", "--refresh"); code != exitError || !strings.Contains(errs, "destroy refresh") {
		t.Errorf("both: %d, %q", code, errs)
	}
}

func TestCompletion(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "environments"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "environments", "Pulumi.ers-live.yaml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{"preview -s ": "ers-live", "matrix -o ": "markdown"} {
		out, _, _ := stackdiff(t, root, append([]string{"__complete"}, strings.SplitN(args, " ", 3)...)...)
		if !strings.Contains(out, want) {
			t.Errorf("%q completes to %q", args, out)
		}
	}
}

func TestSchemaCommand(t *testing.T) {
	if out, _, code := stackdiff(t, ".", "schema"); code != exitWell || !strings.Contains(out, "json-schema.org") {
		t.Errorf("%d: %s", code, out)
	}
}
