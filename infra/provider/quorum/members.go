// SPDX-License-Identifier: Apache-2.0

package quorum

import "slices"

// votes counts the voters among members.
func votes(members []Member) Votes {
	var v Votes
	for _, m := range members {
		if !m.Voter {
			continue
		}
		v.Members++
		if m.Health == Healthy {
			v.Healthy++
		}
	}
	return v
}

// wanted says whether m is asked for: the same name on the same machine.
func wanted(s Situation, m Member) bool {
	return slices.ContainsFunc(s.Desired, func(h Host) bool {
		return h.Name == m.Name && (h.MachineID == m.MachineID || h.MachineID == "" || m.MachineID == "")
	})
}

func joinedMembers(s Situation) []Member {
	return slices.DeleteFunc(slices.Clone(s.Current), func(m Member) bool { return !m.Joined })
}

func stayingMembers(s Situation) []Member {
	return slices.DeleteFunc(joinedMembers(s), func(m Member) bool { return !wanted(s, m) })
}

func departing(s Situation) []string {
	return names(slices.DeleteFunc(joinedMembers(s), func(m Member) bool { return wanted(s, m) }))
}

func names(members []Member) []string {
	out := make([]string, 0, len(members))
	for _, m := range members {
		out = append(out, m.Name)
	}
	return out
}
