// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReleaseDeadLocks(t *testing.T) {
	hostname, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	const gone = `4194999` // above the highest process id that Linux gives out
	write := func(t *testing.T, content string) (*workspace, string) {
		w := &workspace{options: options{Stack: "local"}, home: t.TempDir()}
		dir := filepath.Join(w.state(), ".pulumi/locks/organization/spine/local")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "x.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return w, path
	}
	tests := map[string]struct {
		content, wantErr string
		wantKept         bool
	}{
		"killed here":           {`{"pid":` + gone + `,"hostname":"` + hostname + `","timestamp":"2026-01-02T03:04:05Z"}`, "", false},
		"running here":          {`{"pid":1,"username":"ann","hostname":"` + hostname + `"}`, "is being updated by ann@", true},
		"killed on another one": {`{"pid":` + gone + `,"username":"ann","hostname":"elsewhere"}`, "ann@elsewhere", true},
		"torn":                  {`{"pid":`, "is not a lock that pulumi wrote", true},
		"empty":                 {`{}`, "is not a lock that pulumi wrote", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w, path := write(t, tt.content)
			err := w.releaseDeadLocks()
			if tt.wantErr == "" && err != nil || tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)) {
				t.Errorf("error %v, want one with %q", err, tt.wantErr)
			}
			if _, err := os.Stat(path); (err == nil) != tt.wantKept {
				t.Errorf("lock kept: %v, want %v", err == nil, tt.wantKept)
			}
		})
	}
}
