// SPDX-License-Identifier: Apache-2.0

// Package reach tells what is known of an engine that somebody else runs: whether the deep
// probe gets through it. Nobody here counts its members.
package reach

import (
	"slices"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// Verdict is what the deep probe says of an engine.
type Verdict string

const (
	// Reached: the last probe got through the engine, or too few have failed since one did.
	Reached Verdict = "Reached"
	// Unreached: probes fail at the engine, often enough in a row to count as an outage.
	Unreached Verdict = "Unreached"
	// Untold: no probe has got as far as the engine, so nobody can tell.
	Untold Verdict = "Untold"
)

// Engine is where on the probe's path an engine is.
type Engine struct {
	// Path is all stages, in order.
	Path []string
	// Own are the stages that fail when the engine does.
	Own []string
}

// Judge says it by what probes have seen; limit of failures in a row count as an outage.
func Judge(seen common.ProbeStatus, limit int32, e Engine) Verdict {
	at := slices.Index(e.Path, seen.FailedStage)
	first := slices.IndexFunc(e.Path, func(stage string) bool { return slices.Contains(e.Own, stage) })
	switch {
	case seen.LastTime == nil:
		return Untold
	case seen.ConsecutiveFailures == 0 && seen.LastSuccessTime != nil:
		return Reached
	case seen.FailedReplica != "":
		return Reached // by others: what fails is that replica
	case slices.Contains(e.Own, seen.FailedStage):
		if seen.LastSuccessTime != nil && seen.ConsecutiveFailures < limit {
			return Reached
		}
		return Unreached
	case at > first:
		return Reached // it failed further on
	case seen.LastSuccessTime != nil && seen.ConsecutiveFailures < limit:
		return Reached
	}
	return Untold
}
