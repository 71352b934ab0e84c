// SPDX-License-Identifier: Apache-2.0

package database

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The kind of a database is said or is the operator's own; anything else is an error that says what to write.
func TestEngineOfADirectory(t *testing.T) {
	for name, test := range map[string]struct {
		file string
		want Engine
		fail string
	}{
		"the operator's own cluster": {want: Replicated},
		"Aurora":                     {file: "Aurora\n", want: Aurora},
		"another one":                {file: "MySQL", fail: `engine is "MySQL": expected Aurora`},
		"nothing":                    {file: "\n", fail: `expected Aurora`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if test.file != "" {
				if err := os.WriteFile(filepath.Join(dir, "engine"), []byte(test.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := engineOf(dir)
			switch {
			case test.fail == "" && (err != nil || got != test.want):
				t.Errorf("%q, %v", got, err)
			case test.fail != "" && (err == nil || !strings.Contains(err.Error(), test.fail)):
				t.Errorf("%q, %v; want %q", got, err, test.fail)
			}
		})
	}
}

// Connections to a writer are left as soon as another one was seen, and good again only where it is the newest again.
func TestWriters(t *testing.T) {
	w := &writers{}
	first := w.see("10.0.0.1 since noon")
	if first.superseded() {
		t.Error("the only writer")
	}
	second := w.see("10.0.0.2 since eleven")
	if !first.superseded() || second.superseded() {
		t.Errorf("after a failover: the first %t, the second %t", first.superseded(), second.superseded())
	}
	if again := w.see("10.0.0.1 since one"); again.superseded() || !first.superseded() || !second.superseded() {
		t.Error("the first server is the writer again, and its connections from before its restart count")
	}
}
