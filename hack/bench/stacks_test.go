// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestHeld(t *testing.T) {
	for name, c := range map[string]struct {
		samples []float64
		want    string
		fails   bool
	}{
		"kept":         {[]float64{9, 10, 2}, "10.00     10.00  s        people", false},
		"exceeded":     {[]float64{9, 10.5, 2}, "10.00     10.50  s        EXCEEDED: people", true},
		"not measured": {nil, "10.00         -           not measured", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecord()
			for _, sample := range c.samples {
				r.add(planned, "s", sample)
			}
			var out strings.Builder
			err := held(&out, r)
			if c.fails != (err != nil) || err != nil && !strings.Contains(err.Error(), planned) {
				t.Errorf("got %v", err)
			}
			if !strings.Contains(out.String(), c.want) {
				t.Errorf("no %q in\n%s", c.want, out.String())
			}
		})
	}
}

// TestBoundsAreOnFigures: a bound on a figure that nothing measures would hold nothing.
func TestBoundsAreOnFigures(t *testing.T) {
	for _, b := range bounds {
		figure := strings.TrimSuffix(b.figure, ", largest process")
		switch figure {
		case coldBuild, sameBuild, touchedBuild, planned:
		default:
			t.Errorf("nothing measures %q", b.figure)
		}
		if b.most <= 0 || b.why == "" {
			t.Errorf("%s: at most %v, because %q", b.figure, b.most, b.why)
		}
	}
}

// TestMeasure: what a command leaves behind is counted too, but not waited for before its end is told.
func TestMeasure(t *testing.T) {
	if err := adopt(); err != nil {
		t.Fatal(err)
	}
	const work = `i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; sleep 1`
	begin := time.Now()
	u, err := measure(exec.Command("sh", "-c", "("+work+") & exit 0"))
	if err != nil {
		t.Fatal(err)
	}
	if after := time.Since(begin) - u.wall; after < 500*time.Millisecond || u.processor < 80*time.Millisecond || u.largest < 1<<19 {
		t.Errorf("it took %+v, and what it left behind %s", u, after)
	}
	if _, err := measure(exec.Command("sh", "-c", "echo because >&2; exit 3")); err == nil || !strings.Contains(err.Error(), "because") {
		t.Errorf("a failure: %v", err)
	}
}

// TestChanged: the checkout stays as it is, and each run has another text.
func TestChanged(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir, seen := t.TempDir(), map[string]bool{}
	for run := range 2 {
		overlay, err := changed(root, dir, run)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(overlay)
		if err != nil {
			t.Fatal(err)
		}
		var o struct{ Replace map[string]string }
		if err := json.Unmarshal(text, &o); err != nil {
			t.Fatal(err)
		}
		other, err := os.ReadFile(o.Replace[filepath.Join(root, touched)])
		if err != nil || seen[string(other)] || !strings.Contains(string(other), "package cloud\n") {
			t.Errorf("run %d: %v, or the same again, or another file", run, err)
		}
		seen[string(other)] = true
	}
}
