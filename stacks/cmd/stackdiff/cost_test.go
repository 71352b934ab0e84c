// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"strings"
	"testing"

	"gotest.tools/v3/golden"
)

func TestCost(t *testing.T) {
	args := []string{"cost", "--prices", "testdata/prices.book", "--events", "testdata/ers-live.events", "--recovery", "--hours", "6"}
	out, errs, code := stackdiff(t, ".", args...)
	if code != exitWell || errs != "" {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	noSecrets(t, out)
	golden.Assert(t, out, "cost.txt")

	out, errs, code = stackdiff(t, ".", append(args, "-o", "json")...)
	var report costReport
	if err := json.Unmarshal([]byte(out), &report); code != exitWell || err != nil {
		t.Fatalf("exit code %d: %v: %s", code, err, errs)
	}
	if report.Environment != "ers-live" || report.Bill.Cents == 0 || len(report.Recovery) != 3 || len(report.Assumptions) == 0 {
		t.Errorf("got %+v", report)
	}
}

func TestCostRefuses(t *testing.T) {
	tests := map[string][]string{
		"cost is written as text or json": {"cost", "-o", "html", "--events", "testdata/ers-live.events"},
		"--hours is 900":                  {"cost", "--hours", "900", "--events", "testdata/ers-live.events"},
		"which environment?":              {"cost"},
	}
	for want, args := range tests {
		if _, errs, code := stackdiff(t, ".", args...); code != exitError || !strings.Contains(errs, want) {
			t.Errorf("%v: exit code %d, %q does not say %s", args, code, errs, want)
		}
	}
}
