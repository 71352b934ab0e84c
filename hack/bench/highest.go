// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"spine.nhs.uk/controlplane/hack/load/stats"
)

const (
	// latencyLimit is what the services promise for their 99th percentile, in milliseconds.
	latencyLimit = 250
	// keepsUp is the share of what was offered that must be acknowledged within the run for it to count as carried.
	keepsUp = 0.97
)

// carried says whether a run kept its promise at the rate that it was offered.
func carried(r stats.Report) bool {
	return r.Refused+r.Ambiguous+r.Unsent == 0 && r.Latency.P99 < latencyLimit && r.PerSecond >= keepsUp*r.Offered
}

// tries is how often a rate is offered before it counts as too high: other things happen on a small machine, too.
const tries = 3

// highest offers rising rates until one is not carried in any of its tries, and returns the last that was; nil when the
// lowest was not.
func highest(rates []float64, try func(rate float64) (stats.Report, error)) (*stats.Report, error) {
	var best *stats.Report
	for _, rate := range rates {
		kept := false
		for n := 0; n < tries && !kept; n++ {
			r, err := try(rate)
			if err != nil {
				return nil, err
			}
			fmt.Printf("  %-8s %7.0f/s offered: %7.0f/s acknowledged, p50 %.0f ms, p99 %.0f ms\n", r.Name, r.Offered, r.PerSecond, r.Latency.P50, r.Latency.P99)
			if kept = carried(r); kept {
				best = &r
			}
		}
		if !kept {
			break
		}
	}
	return best, nil
}
