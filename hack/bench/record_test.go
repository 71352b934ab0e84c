// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRecord(t *testing.T) {
	dir := t.TempDir()
	if last, err := latest(dir); last != nil || err != nil {
		t.Fatalf("an empty folder gave %v, %v", last, err)
	}
	old := Record{Time: time.Unix(0, 0).UTC(), Figures: map[string]Figure{"api gap": {"s", []float64{4, 2}}}}
	if err := old.save(dir); err != nil {
		t.Fatal(err)
	}
	last, err := latest(dir)
	if err != nil {
		t.Fatal(err)
	}
	now := Record{Time: time.Unix(1, 0).UTC(), Figures: map[string]Figure{}}
	for _, sample := range []float64{9, 6, 1} {
		now.add("api gap", "s", sample)
	}
	now.add("new", "s", 1)
	got := now.compare(last)
	for _, want := range []string{"1.00      6.00      9.00  s        2.00", "new ", " s        -\n", "1970-01-01T00:00:00Z"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestLatestRefusesWhatIsNoRecord(t *testing.T) {
	for name, content := range map[string]string{"torn": `{"figures": {`, "no samples": `{"figures":{"x":{"unit":"s"}}}`} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "1.json"), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := latest(dir); err == nil || !strings.Contains(err.Error(), "1.json") {
				t.Errorf("got %v, want an error that names the file", err)
			}
		})
	}
}
