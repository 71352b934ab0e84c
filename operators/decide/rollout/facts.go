// SPDX-License-Identifier: Apache-2.0

// Package rollout decides what of a service may be brought to its specification now:
// one part at a time, in order, halting when the deep probe fails, and going back to the
// last good image when a new one does not work.
package rollout

import (
	"time"

	"spine.nhs.uk/controlplane/operators/decide/quorum"
)

// settleTime after a part was changed during which it counts as changing, as its operator
// may not have looked yet.
const settleTime = 20 * time.Second

// Part is a component of the service.
type Part struct {
	quorum.Part
	// Exists says that the part was made before.
	Exists bool
	// Pending says that the part's object differs from what the specification asks for.
	Pending bool
	// ChangedAt is when the part's object was last applied with a difference. Zero if never.
	ChangedAt time.Time
}

// Program is the service's own program, the last of the parts, and its images.
type Program struct {
	// Wanted by the specification.
	Wanted string
	// Current is what the Deployment asks for. Empty before the first.
	Current string
	// LastGood is the newest image that worked as a whole. Empty until there was one.
	LastGood string
	// Rejected is the image that was rolled back from.
	Rejected string
	// StartedAt is when the change in progress began; nil when there is none.
	StartedAt *time.Time
	// Complete says that all replicas that the Deployment asks for run its current template,
	// long enough, and no other.
	Complete bool
	// Replicas that the Deployment asks for. 0 before there is one.
	Replicas int32
}

// Probe is what deep probes have seen: of the whole path through any replica, or of the
// replicas with one image.
type Probe struct {
	// Failing says that it failed as often in a row as the specification tolerates.
	Failing bool
	// PassedAt is when it last passed. Zero if never.
	PassedAt time.Time
	// Stage at which it failed last.
	Stage string
}

// Facts are all that a decision rests on.
type Facts struct {
	// Now is the time of the decision.
	Now time.Time
	// Deadline is how long a change of the program may take.
	Deadline time.Duration
	// Parts in the order in which they are changed; the last one is the program.
	Parts []Part
	// Program is more about the last part.
	Program Program
	// Probe of the whole path, through whichever replicas clients get.
	Probe Probe
	// Image is what probes through replicas with the current image have seen since the
	// change in progress began. They alone say that it works.
	Image Probe
	// Operation that holds the service, in words; empty when none does.
	Operation string
	// Resting says that the program is not to run at this site now.
	Resting bool
}

// State sums a decision up.
type State string

const (
	// Operating: an operation acts on the service, and nobody else does.
	Operating State = "Operating"
	// Settled: everything is as specified.
	Settled State = "Settled"
	// Progressing: something is being made or changed.
	Progressing State = "Progressing"
	// WaitingForQuorum: a change waits for missing members.
	WaitingForQuorum State = "WaitingForQuorum"
	// WaitingForFacts: a change waits until the state of every part is known.
	WaitingForFacts State = "WaitingForFacts"
	// WaitingForProbe: a change waits until the deep probe passes.
	WaitingForProbe State = "WaitingForProbe"
	// RolledBack: the specified image did not work; the last good one serves. A person decides.
	RolledBack State = "RolledBack"
	// NoWayBack: the current image does not work and there is none to return to. A person decides.
	NoWayBack State = "NoWayBack"
)

// Decision is what to do now.
type Decision struct {
	// Apply names the parts to bring to their desired objects now.
	Apply []string
	// Program is what is to be recorded of the program; its Current is the image to run.
	Program Program
	// State and Message explain.
	State   State
	Message string
	// RecheckAfter is when to decide again if nothing else happens.
	RecheckAfter time.Duration
}
