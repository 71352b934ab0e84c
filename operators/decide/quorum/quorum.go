// SPDX-License-Identifier: Apache-2.0

// Package quorum decides whether one member of a service may be disrupted now.
package quorum

import (
	"fmt"
	"strings"
)

// Part is a group of members that keep something together: a database, a broker, a set
// of gateways.
type Part struct {
	// Name for people: "database".
	Name string
	// Known says that the counts below were read, and recently.
	Known bool
	// Desired members, and those of them that are ready.
	Desired, Ready int32
	// Changing says that the part's own operator is working on its members.
	Changing bool
}

// Missing members: those that already failed or were taken away.
func (p Part) Missing() int32 { return max(0, p.Desired-p.Ready) }

// Verdict is what may be done to one member.
type Verdict string

const (
	// Allow: all members of all parts are there, so one may be taken away.
	Allow Verdict = "Allow"
	// Wait: a member is missing or being changed; taking another away could cost a quorum.
	Wait Verdict = "Wait"
	// Unknown: the state of a part is not known; nothing may be touched.
	Unknown Verdict = "Unknown"
)

// Decision is a verdict and why.
type Decision struct {
	// Verdict over the change.
	Verdict Verdict
	// Message for people; it names the part.
	Message string
}

// MayDisrupt says whether one member of the named part may be taken away. It counts the
// members of every part that are missing already, as the parts share hosts and racks:
// what fails next may fail in all of them. A part without a single ready member has
// nothing left to disrupt, and a change may be what repairs it.
func MayDisrupt(name string, parts []Part) Decision {
	var unknown, changing, missing []string
	for _, p := range parts {
		if p.Name == name && p.Known && p.Ready == 0 {
			continue
		}
		switch {
		case !p.Known:
			unknown = append(unknown, p.Name)
		case p.Changing:
			changing = append(changing, p.Name)
		case p.Missing() > 0:
			missing = append(missing, fmt.Sprintf("%s has %d of %d members", p.Name, p.Ready, p.Desired))
		}
	}
	switch {
	// Not knowing comes first: what is missing cannot be counted while a part is unknown.
	case len(unknown) > 0:
		return Decision{Unknown, "the state of " + strings.Join(unknown, " and ") + " is not known"}
	case len(missing) > 0:
		return Decision{Wait, strings.Join(missing, ", ")}
	case len(changing) > 0:
		return Decision{Wait, strings.Join(changing, " and ") + " is being changed by its own operator"}
	}
	return Decision{Allow, ""}
}
