// SPDX-License-Identifier: Apache-2.0

package render

import (
	"io"
	"strings"
	"testing"

	"spine.nhs.uk/controlplane/infra/audit"
)

// hostile is a report whose every text is markup.
func hostile() *audit.Report {
	const evil = "<script>alert(1)</script> | [a](javascript:b) `c` **d**\n# e"
	line := audit.Line{Class: audit.Exposure, Level: audit.High, Subject: evil, Words: evil}
	return &audit.Report{Version: audit.Version, Kind: audit.Planned, Environments: []audit.Environment{{
		Name: evil, Error: evil, Messages: []audit.Message{{Level: "error", Text: evil}},
		Difference: &audit.Difference{Changes: []audit.Change{{Class: audit.Exposure, Level: audit.High, Resource: evil, URN: evil, Object: evil,
			Lines: []audit.Line{line}, Properties: []audit.Property{{Path: evil, Change: "update", Old: evil, New: evil}}, Dependents: []string{evil}, Causes: []string{evil}}}},
	}}}
}

func TestNothingInAReportIsMarkup(t *testing.T) {
	for format, forbidden := range map[string][]string{
		"html":     {"<script>alert", `href="javascript`},
		"markdown": {"<script>", "[a](", "`c`", "**d**", "\n# e"},
	} {
		var b strings.Builder
		if err := Report(&b, format, hostile()); err != nil {
			t.Fatal(err)
		}
		for _, f := range forbidden {
			if strings.Contains(b.String(), f) {
				t.Errorf("%s contains %q", format, f)
			}
		}
	}
}

// The page needs nothing from elsewhere, and may fetch nothing.
func TestPageStandsAlone(t *testing.T) {
	var b strings.Builder
	if err := Report(&b, "html", hostile()); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{" src=", "<link", "@import", "url(", "http://", "https://"} {
		if strings.Contains(b.String(), f) {
			t.Errorf("the page contains %q", f)
		}
	}
	if !strings.Contains(b.String(), "default-src 'none'") {
		t.Error("the page may fetch things")
	}
}

func TestUnknownFormat(t *testing.T) {
	if err := Report(io.Discard, "pdf", hostile()); err == nil {
		t.Error("no error")
	}
}
