// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"io"

	"spine.nhs.uk/controlplane/hack/load/check"
)

// times is the part of a check's result that judges nothing.
type times struct {
	Counts      check.Counts    `json:"counts"`
	Acknowledge check.Latencies `json:"acknowledge"`
	Deliver     check.Latencies `json:"deliver"`
	PerSecond   float64         `json:"perSecond"`
	LongestGap  check.Gap       `json:"longestGap"`
}

func (t times) Write(w io.Writer) error {
	r := check.Result{Counts: t.Counts, Acknowledge: t.Acknowledge, Deliver: t.Deliver, PerSecond: t.PerSecond, LongestGap: t.LongestGap}
	return r.WriteTimes(w)
}
