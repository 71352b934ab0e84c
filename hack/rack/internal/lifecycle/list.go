// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"slices"

	"spine.nhs.uk/controlplane/hack/rack/internal/machine"
)

// Entry is one rack of `rack list`.
type Entry struct {
	Rack string `json:"rack"`
	// Up says that the rack was brought up and not taken down.
	Up bool `json:"up"`
	// On counts the hosts that have power, of Hosts in all.
	On      int      `json:"on"`
	Hosts   int      `json:"hosts"`
	Subnets []string `json:"subnets"`
}

// List names the racks that are up and those that come with the program.
func List() ([]Entry, error) {
	names, err := Names()
	if err != nil {
		return nil, err
	}
	names = append(names, BuiltinNames()...)
	slices.Sort(names)
	var out []Entry
	for _, name := range slices.Compact(names) {
		r, err := Open(name)
		if err != nil {
			return nil, err
		}
		e := Entry{Rack: name, Up: r.Exists}
		for _, s := range r.Def.Sites {
			e.Subnets = append(e.Subnets, s.Subnet)
		}
		for _, m := range r.Machines() {
			e.Hosts++
			if m.State() == machine.On {
				e.On++
			}
		}
		out = append(out, e)
	}
	return out, nil
}
