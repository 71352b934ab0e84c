// SPDX-License-Identifier: Apache-2.0

// Package hostfailure decides whether a host has failed, and whether it may be fenced or
// returned without hands. It is pure: what was seen of hosts goes into a Memory, Facts come
// out of it, and Decide judges them.
//
// A host is known by three signals that do not share a cause: its heartbeat (the kubelet
// reaches the API servers), the network (the manager reaches the host) and the power (the
// management controller, on a network of its own). One alone is never believed.
package hostfailure

import (
	"time"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// Times of detection. A kubelet renews its lease every 2 s, and the manager looks every 2 s.
// Without power a host is fenced 8 to 10 s after its last sign of life, a silent one after 12
// to 14 s; planning and Redfish take some 4 s more. That is faster than the 20 s and more after
// which Kubernetes alone begins to evict, and slower than what a well host may be away for: the
// API is away up to 10 s when the host with its address is lost.
const (
	// Pace of looks.
	Pace = 2 * time.Second
	// forgetAfter a gap between two looks this long, what was seen before says nothing: the
	// manager itself stood still.
	forgetAfter = 4 * Pace
	// doubtAfter a heartbeat of this age, management controllers are asked at every look.
	doubtAfter = 3 * Pace
	// offAfter is how long a host without power has to be silent.
	offAfter = 6 * time.Second
	// silentAfter is how long nothing may come from a host, neither to the API nor to the manager.
	silentAfter = 10 * time.Second
	// frozenAfter is how long a host may answer without any program on it speaking.
	frozenAfter = 30 * time.Second
	// deafAfter is how long a kubelet may be away, to the API and to the manager, while the
	// host's SSH daemon speaks: an upgrade or a restart takes less.
	deafAfter = 90 * time.Second
	// freshWithin: heartbeats count only while that of some host is no older, so that an API
	// that passes none on does not look like hosts that send none.
	freshWithin = 5 * time.Second
	// lasting silence, of two looks and more, counts against acting at all.
	lasting = 2 * Pace
	// apiAfter is how long the API may not answer before nothing is decided.
	apiAfter = 6 * time.Second
	// settleAfter is how long a manager looks before it concludes anything.
	settleAfter = 10 * time.Second
	// restAfter is how long nothing is fenced after a host was: two in a row may be one cause.
	restAfter = 5 * time.Minute
	// flapWithin: a host that was fenced twice in this time is not returned without hands.
	flapWithin = time.Hour
)

// Reach is how far a program on a host answers the manager.
type Reach string

const (
	// Serves: the program spoke.
	Serves Reach = "Serves"
	// Answers: the host's kernel did, the program did not.
	Answers Reach = "Answers"
	// Silent: nothing came back.
	Silent Reach = "Silent"
)

// Power of a host, as its management controller says.
type Power string

const (
	// PowerUnknown: the controller was not asked, did not answer, or says neither.
	PowerUnknown Power = ""
	// PowerOn says nothing of what runs.
	PowerOn Power = "On"
	// PowerOff: nothing runs.
	PowerOff Power = "Off"
)

// Host is what is known of one host. Durations are how long something has been so; zero
// means that it is not so.
type Host struct {
	// Name of its node.
	Name string
	// HeartbeatAge is how long ago its heartbeat was last seen to move.
	HeartbeatAge time.Duration
	// Ready is the node's condition.
	Ready bool
	// SilentFor: nothing at all comes back. MuteFor: no program speaks. DeafFor: the kubelet
	// does not speak.
	SilentFor, MuteFor, DeafFor time.Duration
	// Managed hosts have a management controller in the inventory.
	Managed bool
	// Power as the controller last said, and for how long it has said so.
	Power    Power
	PowerFor time.Duration
	// Cordoned hosts take no new pods: somebody is at work on them.
	Cordoned bool
	// Fenced hosts have the out-of-service taint.
	Fenced bool
}

// Operation is a ServiceRecovery on a host.
type Operation struct {
	// Name of the operation, Host and Action of its specification.
	Name, Host string
	Action     api.Action
	// Own operations were asked for by the manager itself.
	Own bool
	// DryRun is set until the real run was asked for.
	DryRun bool
	// Phase of it. Empty: nobody has looked at it yet.
	Phase api.Phase
	// At is when it was made.
	At time.Time
}

// live operations act, or may act any moment.
func (o Operation) live() bool { return !o.Phase.Ended() && (o.Own || !o.DryRun) }

// Facts are what a decision rests on.
type Facts struct {
	// Now is the time of the decision.
	Now time.Time
	// WatchedFor is how long the manager has looked without a gap.
	WatchedFor time.Duration
	// APISilentFor is how long the API has not answered.
	APISilentFor time.Duration
	// Hosts of the site, sorted by name.
	Hosts []Host
	// Operations on hosts, in any order.
	Operations []Operation
	// Rest is the environment's cool-down, for which a fenced host stays out unless somebody
	// switched it on again and it is ready.
	Rest time.Duration
}
