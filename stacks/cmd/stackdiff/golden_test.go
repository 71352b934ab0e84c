// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"gotest.tools/v3/golden"

	"spine.nhs.uk/controlplane/infra/audit"
	"spine.nhs.uk/controlplane/infra/policy"
	"spine.nhs.uk/controlplane/infra/policy/pack"
)

// asked are the rules in golden reports: few, so that a new rule changes no report.
var asked = []string{"residency", "never-discarded", "database-deletion-protected"}

// stackdiff runs the command and returns what it wrote, and its exit code.
func stackdiff(t *testing.T, root string, args ...string) (out, errs string, code int) {
	t.Helper()
	t.Setenv("PULUMI_STACK", "")
	var o, e bytes.Buffer
	a := &app{out: &o, err: &e, root: root, now: func() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }}
	for _, r := range pack.Rules() {
		if slices.Contains(asked, r.Name) {
			a.rules = append(a.rules, r)
		}
	}
	if len(a.rules) != len(asked) {
		t.Fatalf("the rules %v are not all there", asked)
	}
	code = run(t.Context(), a, args)
	return o.String(), e.String(), code
}

// reports are what is kept in testdata for people to review. Their prices are kept, too, so that new prices change none.
var reports = map[string][]string{
	"preview": {"preview", "--prices", "testdata/prices.book", "--events", "testdata/ers-live.events"},
	"matrix":  {"matrix", "--prices", "testdata/prices.book", "--events", "testdata/ers-int.events", "--events", "testdata/ers-live.events"},
	"drift":   {"drift", "--prices", "testdata/prices.book", "--events", "testdata/drift.events"},
}

var extensions = map[string]string{"text": "txt", "markdown": "md", "html": "html", "json": "json"}

func TestGoldenReports(t *testing.T) {
	for name, args := range reports {
		for format, ext := range extensions {
			t.Run(name+"/"+format, func(t *testing.T) {
				out, errs, code := stackdiff(t, ".", append(args, "-o", format)...)
				if code != exitWrong || errs != "" {
					t.Fatalf("exit code %d: %s", code, errs)
				}
				again, _, _ := stackdiff(t, ".", append(args, "-o", format)...)
				if out != again {
					t.Error("the same input gave other bytes")
				}
				noSecrets(t, out)
				golden.Assert(t, out, name+"."+ext)
			})
		}
	}
}

// planted is in every secret of the test data, in all the places where a secret can hide.
const planted = "PLANTED"

func noSecrets(t *testing.T, out string) {
	t.Helper()
	for _, form := range []string{planted, base64.StdEncoding.EncodeToString([]byte("sharedKey: " + planted))[:16]} {
		if i := strings.Index(out, form); i >= 0 {
			t.Errorf("a secret is shown: ...%s...", out[max(0, i-80):min(len(out), i+80)])
		}
	}
}

// An engineer who does not know the change finds every class of risk on the first page.
func TestFirstPageHasEveryRisk(t *testing.T) {
	out, _, _ := stackdiff(t, ".", reports["preview"]...)
	lines := strings.Split(out, "\n")
	page := strings.Join(lines[:min(len(lines), 60)], "\n")
	for _, class := range audit.Classes() {
		if class != audit.Other && !strings.Contains(page, "\n"+strings.ToUpper(string(class))+"\n") {
			t.Errorf("%s is not on the first page:\n%s", class, page)
		}
	}
	for _, want := range []string{
		"Aurora cluster ers-live-db: deletion protection is switched off",
		"host a, host b, host c: kubelet v1.36.2 -> v1.36.3, drained first",
		"it is opened to every address",
		"names eu-west-1: data may leave the United Kingdom",
		"what it will cost is unknown",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not on the first page", want)
		}
	}
}

func TestJSONKeepsItsSchema(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("report.json", bytes.NewReader(audit.Schema)); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < len(reports) {
		t.Fatalf("%d golden reports: %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var report any
		if err := json.Unmarshal(text, &report); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(report); err != nil {
			t.Errorf("%s: %#v", file, err)
		}
	}
	if err := schema.Validate(map[string]any{"version": audit.Version, "kind": "preview", "environments": []any{map[string]any{}}}); err == nil {
		t.Error("an environment without a name keeps the schema")
	}
}

func TestWaiverIsShown(t *testing.T) {
	out, _, _ := stackdiff(t, ".", reports["preview"]...)
	if want := "waived until 2026-12-31 by a.person"; !strings.Contains(out, want) {
		t.Errorf("%q is not in\n%s", want, out)
	}
	var report audit.Report
	out, _, _ = stackdiff(t, ".", append(reports["preview"], "-o", "json")...)
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	waived := 0
	for _, f := range report.Environments[0].Rules.Findings {
		if f.WaivedBy != nil && f.Severity == policy.Mandatory {
			waived++
		}
	}
	if waived != 1 {
		t.Errorf("%d findings are waived, not 1", waived)
	}
}
