// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"strings"
	"testing"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // what Pulumi keeps its states with in a folder
)

// All that Pulumi writes to the folder of states takes its place whole, wherever a kill hits: there is nothing beside a
// state but the state.
func TestStatesHaveNothingBesideThem(t *testing.T) {
	t.Setenv("PULUMI_BACKEND_URL", "")
	w := &workspace{home: t.TempDir()}
	if err := os.Mkdir(w.state(), 0o700); err != nil {
		t.Fatal(err)
	}
	var url string
	for _, v := range w.variables() {
		if value, ok := strings.CutPrefix(v, "PULUMI_BACKEND_URL="); ok {
			url = value
		}
	}
	states, err := blob.OpenBucket(t.Context(), url+"&no_tmp_dir=true") // which Pulumi adds
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = states.Close() })
	if err := states.WriteAll(t.Context(), "e2e.json", []byte("{}"), nil); err != nil {
		t.Fatal(err)
	}
	found, err := os.ReadDir(w.state())
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || found[0].Name() != "e2e.json" {
		t.Errorf("the folder of states holds %v", found)
	}
}
