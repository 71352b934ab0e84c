// SPDX-License-Identifier: Apache-2.0

package database

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Phase is what CloudNativePG says it is doing.
type Phase string

const (
	// PhaseHealthy: nothing is under way.
	PhaseHealthy Phase = "Cluster in healthy state"
	// PhaseFirstPrimary: the database is being made.
	PhaseFirstPrimary Phase = "Setting up primary"
	// PhaseSwitchover: the primary's role is being handed over.
	PhaseSwitchover Phase = "Switchover in progress"
	// PhaseFailover: the primary is lost and a standby is being promoted.
	PhaseFailover Phase = "Failing over"
	// PhaseUnrecoverable: no instance can be promoted.
	PhaseUnrecoverable Phase = "Cluster is unrecoverable and needs manual intervention"
	// PhaseInvalid: CloudNativePG refuses the Cluster as it is.
	PhaseInvalid Phase = "Invalid cluster definition"
	// PhaseImage: the image cannot be used.
	PhaseImage Phase = "Cluster has incomplete or invalid image catalog"
	// PhaseUserAction: CloudNativePG waits for a person.
	PhaseUserAction Phase = "Waiting for user action"
	// PhaseObjects: CloudNativePG cannot make what it needs.
	PhaseObjects Phase = "Unable to create required cluster objects"
)

// State of a Cluster.
type State struct {
	// Exists is false before the Cluster is there; then nothing else is set.
	Exists bool
	// Known is false until CloudNativePG has said anything; counts are 0 then,
	// and mean nothing.
	Known bool
	// Desired, Running and Ready count instances.
	Desired, Running, Ready int32
	// Primary is the name of the instance that accepts writes; empty while none does.
	Primary string
	// Available says whether writes are accepted durably: the primary and at
	// least one standby are ready, and the role is not on the move.
	Available bool
	// Settled says whether the Cluster is as its specification says: all
	// instances ready, the image as asked for, nothing under way.
	Settled bool
	// Stuck says whether CloudNativePG gave up until a person acts.
	Stuck bool
	// Phase and Detail are CloudNativePG's own words.
	Phase  Phase
	Detail string
}

// Standbys counts ready instances besides the primary.
func (s State) Standbys() int32 {
	if s.Primary == "" {
		return 0
	}
	return max(s.Ready-1, 0)
}

// Observe reads the state of a Cluster; nil means that it does not exist.
func Observe(u *unstructured.Unstructured) State {
	if u == nil {
		return State{}
	}
	s := State{Exists: true, Desired: number(u, "spec", "instances")}
	phase, known, _ := unstructured.NestedString(u.Object, "status", "phase")
	if !known || phase == "" {
		return s
	}
	s.Known = true
	s.Phase = Phase(phase)
	s.Detail, _, _ = unstructured.NestedString(u.Object, "status", "phaseReason")
	s.Running = number(u, "status", "instances")
	s.Ready = number(u, "status", "readyInstances")

	current, _, _ := unstructured.NestedString(u.Object, "status", "currentPrimary")
	target, _, _ := unstructured.NestedString(u.Object, "status", "targetPrimary")
	moving := current != target || s.Phase == PhaseFailover || s.Phase == PhaseSwitchover || s.Phase == PhaseFirstPrimary
	if current != "" && !moving && s.Ready > 0 && healthy(u, current) {
		s.Primary = current
	}
	s.Stuck = slices.Contains([]Phase{PhaseUnrecoverable, PhaseInvalid, PhaseImage, PhaseUserAction, PhaseObjects}, s.Phase)
	s.Available = s.Primary != "" && s.Standbys() >= 1 && s.Phase != PhaseUnrecoverable

	asked, _, _ := unstructured.NestedString(u.Object, "spec", "imageName")
	runs, _, _ := unstructured.NestedString(u.Object, "status", "image")
	s.Settled = s.Available && s.Phase == PhaseHealthy && s.Ready == s.Desired && s.Running == s.Desired && asked == runs
	return s
}

// Without is the state with instances left out that went Astray, as far as they are still ready.
func (s State) Without(u *unstructured.Unstructured, astray []string) State {
	for _, name := range astray {
		if s.Primary == "" || name == s.Primary || !healthy(u, name) {
			continue
		}
		s.Ready = max(s.Ready-1, 0)
		s.Available = s.Available && s.Standbys() >= 1
		s.Settled = false
	}
	return s
}

// Astray names the instances that are ready and do not receive what the primary writes, by its own
// word on who does: a standby past a fork of the log answers queries and can never follow again.
// Nil standbys: nobody has said.
func Astray(u *unstructured.Unstructured, standbys []string) []string {
	if u == nil || standbys == nil {
		return nil
	}
	primary, _, _ := unstructured.NestedString(u.Object, "status", "currentPrimary")
	ready, _, _ := unstructured.NestedStringSlice(u.Object, "status", "instancesStatus", "healthy")
	var out []string
	for _, name := range ready {
		if name != primary && !slices.Contains(standbys, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// healthy says whether CloudNativePG lists the instance's pod as healthy.
func healthy(u *unstructured.Unstructured, name string) bool {
	pods, _, _ := unstructured.NestedStringSlice(u.Object, "status", "instancesStatus", "healthy")
	return slices.Contains(pods, name)
}

func number(u *unstructured.Unstructured, path ...string) int32 {
	n, _, _ := unstructured.NestedInt64(u.Object, path...)
	return int32(n)
}
