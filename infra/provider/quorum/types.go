// SPDX-License-Identifier: Apache-2.0

// Package quorum decides in which order the control planes of a cluster may
// change without etcd losing its majority. It is pure: it sees a Situation and
// returns a Plan; it talks to no host and reads no clock.
package quorum

import "fmt"

// Health is what is known of a member's etcd.
type Health string

const (
	// Unknown means that nobody could be asked; it blocks every change.
	Unknown Health = "unknown"
	// Healthy means that the member answered a linearizable read.
	Healthy Health = "healthy"
	// Unhealthy means that others answered, and this member did not.
	Unhealthy Health = "unhealthy"
)

// Member is a control plane that exists in some form.
type Member struct {
	// Name is the node's name, MachineID the machine that carries it; empty
	// when the machine is not known.
	Name, MachineID string
	// Voter says that it counts in etcd's quorum; a learner does not.
	Voter bool
	// Joined says that it is complete: etcd voter, node, and the host's own
	// record agree. Without it the member is a leftover of a step that broke
	// off, and is removed before its host joins again.
	Joined bool
	Health Health
	// Version and Configuration are what it runs with now.
	Version, Configuration string
}

// Host is a control plane that is asked for.
type Host struct {
	// MachineID is empty while it is not known: then the name decides.
	Name, MachineID string
}

// Situation is all that a plan depends on.
type Situation struct {
	// Current holds every control plane that exists in any form.
	Current []Member
	// Desired is in order of preference: the first one starts a new cluster.
	Desired []Host
	// Version and Configuration are what every member shall run with.
	Version, Configuration string
	// Existed says that the cluster is known to have run: finding nothing of
	// it then means that it cannot be seen, not that it must be made.
	Existed bool
}

// Action is what a step does.
type Action string

const (
	// Init starts a new cluster on a host.
	Init Action = "init"
	// Join makes a host a member.
	Join Action = "join"
	// Remove drains a member, takes it out of etcd, resets its host if that
	// still answers, and deletes its node.
	Remove Action = "remove"
	// Update brings a member to the asked version and configuration.
	Update Action = "update"
)

// Votes counts etcd's voters.
type Votes struct{ Members, Healthy int }

// Quorum is how many healthy voters etcd needs.
func (v Votes) Quorum() int { return v.Members/2 + 1 }

func (v Votes) String() string {
	return fmt.Sprintf("%d of %d healthy, quorum %d", v.Healthy, v.Members, v.Quorum())
}

// Step is one change of one member.
type Step struct {
	Action          Action
	Name, MachineID string
	// Why is a short reason for people.
	Why string
	// Before and After are the votes around the step.
	Before, After Votes
}

func (s Step) String() string {
	return fmt.Sprintf("%s %s (%s): %s -> %s", s.Action, s.Name, s.Why, s.Before, s.After)
}

// Plan is the steps in order. With blockers none may be taken.
type Plan struct {
	Steps    []Step
	Blockers []Blocker
}
