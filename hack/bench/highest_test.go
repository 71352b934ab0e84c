// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"testing"

	"spine.nhs.uk/controlplane/hack/load/check"
	"spine.nhs.uk/controlplane/hack/load/stats"
)

func at(rate, got, p99 float64) stats.Report {
	return stats.Report{Offered: rate, PerSecond: got, Latency: check.Latencies{P99: p99}}
}

func TestHighest(t *testing.T) {
	rates := []float64{100, 200, 300, 400}
	for name, c := range map[string]struct {
		runs []stats.Report
		want float64
	}{
		"all carried":          {[]stats.Report{at(100, 99, 10), at(200, 199, 20), at(300, 300, 30), at(400, 399, 249)}, 400},
		"late at the third":    {[]stats.Report{at(100, 99, 10), at(200, 199, 20), at(300, 300, 250), at(300, 300, 251), at(300, 200, 30)}, 200},
		"late once":            {[]stats.Report{at(100, 99, 10), at(200, 199, 251), at(200, 199, 20), at(300, 300, 30), at(400, 399, 249)}, 400},
		"behind at the second": {[]stats.Report{at(100, 99, 10), at(200, 190, 20), at(200, 191, 20), at(200, 192, 20)}, 100},
		"refused at once":      {[]stats.Report{{Offered: 100, PerSecond: 100, Refused: 1}, {Offered: 100, PerSecond: 100, Unsent: 1}, {Offered: 100}}, 0},
	} {
		n := 0
		best, err := highest(rates, func(float64) (stats.Report, error) { n++; return c.runs[n-1], nil })
		got := 0.0
		if best != nil {
			got = best.Offered
		}
		if err != nil || got != c.want || n != len(c.runs) {
			t.Errorf("%s: %v after %d runs, %v", name, got, n, err)
		}
	}
	broken := errors.New("broken")
	if _, err := highest(rates, func(float64) (stats.Report, error) { return stats.Report{}, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
