// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// phase is one named part of a run and how long it took, in seconds of wall time. `make bench` reads these.
type phase struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

// timings records phases as they end and says each on the console.
type timings struct {
	Started time.Time `json:"started"`
	Phases  []phase   `json:"phases"`
	Total   float64   `json:"totalSeconds"`
}

// do runs one phase between a heading and the time it took.
func (t *timings) do(name string, f func() error) error {
	fmt.Printf("\n==> %s\n", name)
	begin := time.Now()
	err := f()
	t.add(name, time.Since(begin))
	if err != nil {
		return fmt.Errorf("%s failed after %.0f s: %w\n\nThe same command goes on from here once that is mended", name, time.Since(begin).Seconds(), err)
	}
	return nil
}

func (t *timings) add(name string, d time.Duration) {
	t.Phases = append(t.Phases, phase{Name: name, Seconds: d.Seconds()})
	fmt.Printf("    %s: %.1f s\n", name, d.Seconds())
}

// save writes the record for the benchmarks; a run that cannot record its times is no worse for its user.
func (t *timings) save(home, stack string) error {
	t.Total = time.Since(t.Started).Seconds()
	data, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(home, "last-up-"+stack+".json"), append(data, '\n'), 0o644)
}
