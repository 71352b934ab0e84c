// SPDX-License-Identifier: Apache-2.0

// Package machine is one host of a rack: its disk, its boot and its power switch.
package machine

import (
	"spine.nhs.uk/controlplane/hack/rack/internal/cgroup"
	"spine.nhs.uk/controlplane/hack/rack/internal/paths"
	"spine.nhs.uk/controlplane/hack/rack/internal/proc"
	"spine.nhs.uk/controlplane/hack/rack/internal/spec"
)

// Machine is one host with everything that is needed to install, boot and stop it.
type Machine struct {
	Rack spec.Rack
	Site spec.Site
	Host spec.Host
	// Folder is the rack's folder.
	Folder paths.Rack
	// Cgroups is the outer machine's cgroup set-up.
	Cgroups cgroup.System
}

// All lists the machines of a rack in file order.
func All(r spec.Rack, folder paths.Rack, cgroups cgroup.System) []Machine {
	var out []Machine
	for _, s := range r.Sites {
		for _, h := range s.Hosts {
			out = append(out, Machine{Rack: r, Site: s, Host: h, Folder: folder, Cgroups: cgroups})
		}
	}
	return out
}

// State is the power state of a machine as the kernel shows it.
type State string

const (
	// Off: no process of the machine is left.
	Off State = "Off"
	// Starting: it is being booted, or is between the two halves of a reboot.
	Starting State = "Starting"
	// On: the machine's init runs.
	On State = "On"
)

// State reads the power state from the machine's cgroup and its launcher process; nothing is
// remembered, so it is right whoever started or stopped the machine.
func (m Machine) State() State {
	if m.group().Init() != 0 {
		return On
	}
	if _, alive := proc.Read(m.files().LauncherPID()); alive {
		return Starting
	}
	return Off
}

func (m Machine) files() paths.Host { return m.Folder.Host(m.Host.Name) }

func (m Machine) group() cgroup.Group {
	return cgroup.Group{System: m.Cgroups, Name: m.Rack.HostCgroup(m.Host.Name)}
}

func (m Machine) service() cgroup.Group {
	return cgroup.Group{System: m.Cgroups, Name: m.Rack.ServiceCgroup()}
}

// areas are the folders of a host that must lie on a plain file system, as containerd and etcd
// cannot work on an overlay: the name on the host's disk, and the place in the host.
var areas = []struct{ name, target string }{
	{"containerd", "/var/lib/containerd"},
	{"kubelet", "/var/lib/kubelet"},
	{"etcd", "/var/lib/etcd"},
	{"volumes", "/var/lib/spine-volumes"},
}

// nspawnArgs boots the machine from its root folder.
func (m Machine) nspawnArgs() []string {
	args := []string{
		"systemd-nspawn", "--quiet", "--boot",
		"--machine=" + m.Rack.Machine(m.Host.Name),
		"--hostname=" + m.Host.Name,
		"--directory=" + m.files().Root(),
		"--network-bridge=" + m.Site.Bridge,
		// No systemd runs outside that could keep the machine: it lives in our own cgroup.
		"--register=no", "--keep-unit",
		"--private-users=no",
		// A host runs containers of its own: it needs what a real machine's root may do.
		"--capability=all",
		"--system-call-filter=@keyring bpf @privileged @known",
		// kubelet reads the kernel's log for out-of-memory kills.
		"--bind=/dev/kmsg",
		// The console is a log file: no input, no colours.
		"--console=read-only", "--setenv=SYSTEMD_COLORS=0",
		"--resolv-conf=off", "--timezone=off",
	}
	args = append(args, "--bind-ro="+m.files().Meminfo()+":"+meminfoPath)
	for _, a := range areas {
		args = append(args, "--bind="+m.files().Mounted().Area(a.name)+":"+a.target)
	}
	return args
}
