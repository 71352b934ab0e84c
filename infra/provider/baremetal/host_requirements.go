// SPDX-License-Identifier: Apache-2.0

package baremetal

import "fmt"

// unmet lists the requirements that a machine does not meet.
func unmet(r *Requirements, f Facts) []string {
	if r == nil {
		return nil
	}
	var out []string
	check := func(what, field, unit string, have int, want *int, fix string) {
		if want != nil && have < *want {
			out = append(out, fmt.Sprintf("%s %d%s, requirements.%s asks for %d: %s or lower the requirement", what, have, unit, field, *want, fix))
		}
	}
	check("processors are", "cpus", "", f.CPUs, r.CPUs, "add processors")
	check("memory is", "memoryMiB", " MiB", f.MemoryMiB, r.MemoryMiB, "add memory")
	check("the file system of /var/lib is", "diskGiB", " GiB", f.DiskGiB, r.DiskGiB, "enlarge it")
	return out
}
