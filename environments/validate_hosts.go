// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

func (e *Environment) validateHosts(p *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(e.Hosts) == 0 {
		return append(errs, field.Required(p, "a site needs at least one host"))
	}
	if len(e.Hosts) > maxHosts {
		errs = append(errs, field.TooMany(p, len(e.Hosts), maxHosts))
	}
	names := map[string]bool{}
	for i, h := range e.Hosts {
		p := p.Index(i)
		errs = append(errs, label(p.Child("name"), h.Name)...)
		if h.Name != "" && names[h.Name] {
			errs = append(errs, field.Duplicate(p.Child("name"), h.Name))
		}
		names[h.Name] = true
		errs = append(errs, label(p.Child("rack"), h.Rack)...)
		errs = append(errs, role(p.Child("role"), h.Role)...)
		errs = append(errs, e.validateHostKey(p.Child("hostKey"), h)...)
		r := p.Child("requirements")
		errs = append(errs, between(r.Child("cpus"), h.Requirements.CPUs, 1, 1024)...)
		errs = append(errs, between(r.Child("memoryMiB"), h.Requirements.MemoryMiB, 1700, 1<<24)...)
		errs = append(errs, between(r.Child("diskGiB"), h.Requirements.DiskGiB, 1, 1<<20)...)
	}
	if e.ControlPlanes() == 0 {
		errs = append(errs, field.Invalid(p, fmt.Sprintf("%d hosts", len(e.Hosts)), "at least one host needs the role ControlPlane"))
	}
	return errs
}

func role(p *field.Path, r Role) field.ErrorList {
	switch r {
	case RoleControlPlane, RoleWorker:
		return nil
	case "":
		return field.ErrorList{field.Required(p, "ControlPlane or Worker")}
	}
	return field.ErrorList{field.NotSupported(p, r, []Role{RoleControlPlane, RoleWorker})}
}

func (e *Environment) validateHostKey(p *field.Path, h Host) field.ErrorList {
	if h.HostKey == "" {
		if e.SSH.KnownHostsFile == "" {
			return field.ErrorList{field.Required(p, "give the host's public SSH key here, or a file of them in ssh.knownHostsFile")}
		}
		return nil
	}
	if _, err := CheckHostKey(h.HostKey); err != nil {
		return field.ErrorList{field.Invalid(p, h.HostKey, err.Error())}
	}
	return nil
}

// ControlPlanes counts the hosts of that role.
func (e *Environment) ControlPlanes() int {
	n := 0
	for _, h := range e.Hosts {
		if h.Role == RoleControlPlane {
			n++
		}
	}
	return n
}

// Warnings are what is allowed but should not stay.
func (e *Environment) Warnings() []string {
	var w []string
	if n := e.ControlPlanes(); n > 1 && n%2 == 0 {
		w = append(w, fmt.Sprintf("hosts: %d control planes survive no more failures than %d, and one more machine can fail: "+
			"use 1, 3 or 5; an even number is meant for the time of a replacement", n, n-1))
	}
	racks := map[string]int{}
	for _, h := range e.Hosts {
		if h.Role == RoleControlPlane {
			racks[h.Rack]++
		}
	}
	for _, h := range e.Hosts {
		if n := e.ControlPlanes(); n >= 3 && racks[h.Rack] > n/2 {
			w = append(w, fmt.Sprintf("hosts: %d of %d control planes are in rack %s: losing the rack loses the API", racks[h.Rack], n, h.Rack))
			racks[h.Rack] = 0
		}
	}
	return append(w, e.sharedKeys()...)
}

// sharedKeys finds machines that were cloned with their SSH host key: whoever
// holds one can pose as the other.
func (e *Environment) sharedKeys() []string {
	var w []string
	seen := map[string]string{}
	for _, h := range e.Hosts {
		key, err := CheckHostKey(h.HostKey)
		if err != nil {
			continue
		}
		if other, ok := seen[key]; ok {
			w = append(w, fmt.Sprintf("hosts: %s and %s have the same SSH host key: give each machine its own", other, h.Name))
		}
		seen[key] = h.Name
	}
	return w
}
