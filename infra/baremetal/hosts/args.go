// SPDX-License-Identifier: Apache-2.0

// Package hosts prepares the machines of a site.
package hosts

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/baremetal/edge"
	"spine.nhs.uk/controlplane/infra/baremetal/registry"
	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/naming"
	"spine.nhs.uk/controlplane/infra/provider/sdk/spine/baremetal"
)

// RoleControlPlane is the role of hosts that run the API; all others are
// workers.
const RoleControlPlane = "ControlPlane"

// SSH is how hosts are reached.
type SSH struct {
	User         string
	Port         int
	IdentityFile string
}

// Requirements are the least that a machine must have.
type Requirements struct {
	CPUs, MemoryMiB, DiskGiB int
}

// Host is one machine.
type Host struct {
	Name, Address, Rack, Role string
	// HostKey is the pinned public key, "ssh-ed25519 AAAA...".
	HostKey      string
	Requirements Requirements
}

// Args say what the hosts should be.
type Args struct {
	Names naming.Namer
	Site  string
	// Interface carries the shared addresses.
	Interface string
	SSH       SSH
	Hosts     []Host
	// API and Edge are the shared addresses; RouterIDs tell them apart on the
	// subnet, 1 to 255.
	API          component.Endpoint
	APIRouterID  int
	EdgeAddress  string
	EdgeRouterID int
	Registry     registry.Registry
	Images       component.Images
	// MachineIDs, by host, are what Preflight found. With them a preview knows
	// which machines a cluster will be made of, even of hosts that are about to
	// change; without, it learns that while it is done.
	MachineIDs map[string]string
	// Protect has Pulumi refuse to remove them.
	Protect bool
}

// Validate says what a caller forgot; people's mistakes are found before.
func (a *Args) Validate() error {
	var errs []error
	if len(a.Hosts) == 0 {
		errs = append(errs, errors.New("no hosts"))
	}
	for _, h := range a.Hosts {
		if h.Name == "" || h.Address == "" || h.HostKey == "" || h.Rack == "" {
			errs = append(errs, fmt.Errorf("host %q lacks a name, an address, a key or a rack", h.Name))
		}
	}
	if a.API.Address == "" || a.EdgeAddress == "" || a.APIRouterID == a.EdgeRouterID {
		errs = append(errs, errors.New("the shared addresses are missing, or have one router ID"))
	}
	return errors.Join(errs...)
}

// modules are what containers and the pod network need of the kernel.
var modules = pulumi.StringArray{pulumi.String("br_netfilter"), pulumi.String("overlay")}

// sysctls are kernel settings of every host.
var sysctls = pulumi.StringMap{
	"net.ipv4.ip_forward":                pulumi.String("1"),
	"net.bridge.bridge-nf-call-iptables": pulumi.String("1"),
	// The entry point listens on 80 and 443 without any privilege.
	"net.ipv4.ip_unprivileged_port_start": pulumi.String("80"),
}

// packages are Debian's; a host that lacks one gets it from its own sources.
var packages = pulumi.StringArray{
	pulumi.String("conntrack"), pulumi.String("containerd"), pulumi.String("containernetworking-plugins"),
	pulumi.String("curl"), pulumi.String("ethtool"), pulumi.String("ipset"), pulumi.String("iptables"),
	pulumi.String("keepalived"), pulumi.String("nftables"), pulumi.String("socat"),
}

// virtualAddresses are those that the host may hold. All hosts have the same
// priority: an address moves when it must, and stays where it went.
func (a *Args) virtualAddresses(h Host) baremetal.VirtualAddressArray {
	shared := baremetal.VirtualAddressArray{}
	if h.Role == RoleControlPlane {
		shared = append(shared, baremetal.VirtualAddressArgs{
			Name:      pulumi.String("api"),
			Address:   pulumi.String(a.API.Address + "/32"),
			Interface: pulumi.String(a.Interface),
			RouterID:  pulumi.Int(a.APIRouterID),
			CheckURL:  pulumi.Sprintf("https://127.0.0.1:%d/readyz", a.API.Port),
			Majority:  pulumi.Bool(true),
		})
	}
	return append(shared, baremetal.VirtualAddressArgs{
		Name:      pulumi.String("edge"),
		Address:   pulumi.String(a.EdgeAddress + "/32"),
		Interface: pulumi.String(a.Interface),
		RouterID:  pulumi.Int(a.EdgeRouterID),
		CheckURL:  pulumi.String(edge.CheckURL()),
	})
}

// Of returns the SSH arguments of a host.
func (s SSH) Of(hostKey string) baremetal.SSHArgs {
	args := baremetal.SSHArgs{HostKey: pulumi.String(hostKey), User: pulumi.String(s.User), Port: pulumi.Int(s.Port)}
	if s.IdentityFile != "" {
		args.IdentityFile = pulumi.String(s.IdentityFile)
	}
	return args
}

func (r Requirements) args() baremetal.RequirementsArgs {
	return baremetal.RequirementsArgs{
		Cpus: pulumi.Int(r.CPUs), MemoryMiB: pulumi.Int(r.MemoryMiB), DiskGiB: pulumi.Int(r.DiskGiB),
	}
}
