// SPDX-License-Identifier: Apache-2.0

package quorum

import (
	"fmt"
	"strings"
)

// Reason names why a plan is refused.
type Reason string

const (
	// NoControlPlane: no control plane is asked for.
	NoControlPlane Reason = "NoControlPlane"
	// ClusterNotSeen: the cluster ran once, and nothing of it answers.
	ClusterNotSeen Reason = "ClusterNotSeen"
	// AllReplaced: no present member would stay to hand on the data.
	AllReplaced Reason = "AllReplaced"
	// TooManyRemoved: more members go without successor than a majority bears.
	TooManyRemoved Reason = "TooManyRemoved"
	// HealthUnknown: a member's health could not be found out.
	HealthUnknown Reason = "HealthUnknown"
	// QuorumLost: etcd has no majority now, so that no change is possible.
	QuorumLost Reason = "QuorumLost"
	// QuorumAtRisk: the step would leave fewer healthy members than a quorum.
	QuorumAtRisk Reason = "QuorumAtRisk"
)

// Blocker is one reason against a plan.
type Blocker struct {
	Reason Reason
	// Members are the control planes it is about.
	Members []string
	// Message says what is wrong, Fix what to do.
	Message, Fix string
}

func (b Blocker) Error() string { return fmt.Sprintf("%s: %s (%s)", b.Message, b.Fix, b.Reason) }

// requested returns what is wrong with the request itself, whatever the health.
func requested(s Situation) []Blocker {
	joined := joinedMembers(s)
	switch {
	case len(s.Desired) == 0:
		return []Blocker{{Reason: NoControlPlane, Members: names(joined),
			Message: "no host with role ControlPlane is left", Fix: "keep at least one; destroy the stack to remove the cluster"}}
	case len(joined) == 0 && s.Existed:
		return []Blocker{{Reason: ClusterNotSeen,
			Message: "the cluster exists but none of its control planes answers",
			Fix:     "power its hosts on; a new cluster is not started over an old one"}}
	case len(joined) == 0:
		return nil
	}
	if len(stayingMembers(s)) == 0 {
		return []Blocker{{Reason: AllReplaced, Members: names(joined),
			Message: fmt.Sprintf("every control plane (%s) would be replaced", strings.Join(names(joined), ", ")),
			Fix:     "keep at least one in this update and replace it in the next one"}}
	}
	// One at a time is always allowed: the gates below judge it by health.
	if n := len(joined); len(s.Desired) < n-1 && len(s.Desired) < (Votes{Members: n}).Quorum() {
		return []Blocker{{Reason: TooManyRemoved, Members: departing(s),
			Message: fmt.Sprintf("going from %d control planes to %d would remove a majority of those present, and with it the quorum", n, len(s.Desired)),
			Fix:     "remove one control plane per update"}}
	}
	return nil
}

// observed returns what is wrong with the members as they are. Unknown blocks.
func observed(s Situation, v Votes) []Blocker {
	var out []Blocker
	for _, m := range s.Current {
		if m.Voter && m.Health == Unknown {
			out = append(out, Blocker{Reason: HealthUnknown, Members: []string{m.Name},
				Message: fmt.Sprintf("the health of control plane %s is not known", m.Name),
				Fix:     "make the API or etcd of one control plane answer, then try again"})
		}
	}
	if len(out) == 0 && v.Members > 0 && v.Healthy < v.Quorum() {
		var down []string
		for _, m := range s.Current {
			if m.Voter && m.Health != Healthy {
				down = append(down, m.Name)
			}
		}
		out = append(out, Blocker{Reason: QuorumLost, Members: down,
			Message: fmt.Sprintf("etcd has no quorum: %s", v),
			Fix:     "bring back " + strings.Join(down, " or ") + " first"})
	}
	return out
}

// atRisk refuses a step that would leave too few healthy members.
func atRisk(a Action, name string, before, after Votes) *Blocker {
	doing := map[Action]string{Remove: "removing", Update: "restarting"}[a]
	return &Blocker{Reason: QuorumAtRisk, Members: []string{name},
		Message: fmt.Sprintf("%s control plane %s would leave etcd without quorum: %s now, %s then", doing, name, before, after),
		Fix:     "bring back the members that are down, or remove those first"}
}
