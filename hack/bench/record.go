// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Record is one run of the benchmarks.
type Record struct {
	Time    time.Time         `json:"time"`
	Figures map[string]Figure `json:"figures"`
}

// Figure is the samples of one thing that was measured, in Unit.
type Figure struct {
	Unit    string    `json:"unit"`
	Samples []float64 `json:"samples"`
}

func newRecord() Record {
	return Record{Time: time.Now().UTC().Truncate(time.Second), Figures: map[string]Figure{}}
}

func (f Figure) median() float64 {
	s := slices.Sorted(slices.Values(f.Samples))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

func (r Record) add(name, unit string, sample float64) {
	f := r.Figures[name]
	f.Unit = unit
	f.Samples = append(f.Samples, sample)
	r.Figures[name] = f
	fmt.Printf("  %-44s %9.2f %s\n", name, sample, unit)
}

// compare renders minimum, median and maximum of each figure, and the median's ratio to the previous record's.
func (r Record) compare(previous *Record) string {
	var out strings.Builder
	fmt.Fprintf(&out, "\n%-44s %9s %9s %9s  %-8s %s\n", "FIGURE", "MIN", "MEDIAN", "MAX", "UNIT", "RATIO TO LAST")
	for _, name := range slices.Sorted(maps.Keys(r.Figures)) {
		f := r.Figures[name]
		ratio := "-"
		if previous != nil {
			if old, ok := previous.Figures[name]; ok && old.median() != 0 {
				ratio = fmt.Sprintf("%.2f", f.median()/old.median())
			}
		}
		fmt.Fprintf(&out, "%-44s %9.2f %9.2f %9.2f  %-8s %s\n", name, slices.Min(f.Samples), f.median(), slices.Max(f.Samples), f.Unit, ratio)
	}
	if previous != nil {
		fmt.Fprintf(&out, "Last: %s\n", previous.Time.Format(time.RFC3339))
	}
	return out.String()
}

// finish shows the record beside the last one of its kind, which is in the same folder, and puts it there.
func (r Record) finish(dir string) error {
	previous, err := latest(dir)
	if err != nil {
		return err
	}
	fmt.Print(r.compare(previous))
	return r.save(dir)
}

// save writes the record under its time; the name sorts by it.
func (r Record) save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, r.Time.Format("2006-01-02T150405Z")+".json")
	fmt.Println("Written to", path)
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// latest reads the newest record in dir; nil when there is none.
func latest(dir string) (*Record, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(names) == 0 {
		return nil, err
	}
	path := slices.Max(names)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r Record
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("%s is not a record of this command: %w", path, err)
	}
	for name, f := range r.Figures {
		if len(f.Samples) == 0 {
			return nil, fmt.Errorf("%s: figure %q has no samples: remove it or the file", path, name)
		}
	}
	return &r, nil
}
