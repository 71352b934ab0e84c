// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"github.com/pulumi/pulumi-go-provider/infer"

	"spine.nhs.uk/controlplane/infra/provider/remote"
)

// Host is the resource spine:baremetal:Host: one machine prepared to be a
// member of a cluster.
type Host struct {
	// Dialer reaches machines: SSH in the provider, a fake in tests.
	Dialer remote.Dialer
}

// Annotate documents the resource in the schema.
func (h *Host) Annotate(a infer.Annotator) {
	a.Describe(&h, "A machine prepared to run Kubernetes: packages, kernel settings, container runtime, registry trust, "+
		"/etc/hosts entries and virtual addresses. Deleting it brings the machine back to what it was.")
}

// HostArgs is what a host should be.
type HostArgs struct {
	Name             string            `pulumi:"name"`
	Address          string            `pulumi:"address"`
	SSH              SSH               `pulumi:"ssh"`
	Labels           *Labels           `pulumi:"labels,optional"`
	Requirements     *Requirements     `pulumi:"requirements,optional"`
	Packages         []string          `pulumi:"packages,optional"`
	Sysctls          map[string]string `pulumi:"sysctls,optional"`
	KernelModules    []string          `pulumi:"kernelModules,optional"`
	ContainerRuntime *ContainerRuntime `pulumi:"containerRuntime,optional"`
	Registry         *Registry         `pulumi:"registry,optional"`
	HostEntries      map[string]string `pulumi:"hostEntries,optional"`
	VirtualAddresses []VirtualAddress  `pulumi:"virtualAddresses,optional"`
}

// Annotate documents the fields in the schema.
func (h *HostArgs) Annotate(a infer.Annotator) {
	a.Describe(&h.Name, "Name of the host in its environment, also its node name: a lower-case DNS label. A change replaces the host.")
	a.Describe(&h.Address, "IPv4 address at which the host is reached and takes part in the cluster.")
	a.Describe(&h.SSH, "How the host is reached.")
	a.Describe(&h.Labels, "Where the host stands.")
	a.Describe(&h.Requirements, "What the machine must have; checked before anything is changed.")
	a.Describe(&h.Packages, "Debian packages that must be installed; those installed by the provider are removed again with the host.")
	a.Describe(&h.Sysctls, "Kernel settings by name, kept in /etc/sysctl.d/90-spine.conf.")
	a.Describe(&h.KernelModules, "Kernel modules loaded now and at boot, kept in /etc/modules-load.d/spine.conf.")
	a.Describe(&h.ContainerRuntime, "Settings of containerd.")
	a.Describe(&h.Registry, "Image registry that the host trusts and pulls from.")
	a.Describe(&h.HostEntries, "IPv4 address by host name, kept in a marked block of /etc/hosts.")
	a.Describe(&h.VirtualAddresses, "Addresses shared by hosts: one of them holds each at any time (VRRP, by keepalived).")
}

// HostInputs are HostArgs with what they mean for the machine, which Check fills
// in. The engine compares the state with the inputs when it shows a change, so
// that without it a preview could not say "containerd.service: disabled ->
// enabled". Programs do not see these properties: see computedInputs.
type HostInputs struct {
	HostArgs
	PackageVersions map[string]string `pulumi:"packageVersions,optional"`
	Files           map[string]string `pulumi:"files,optional"`
	Units           map[string]string `pulumi:"units,optional"`
	SysctlValues    map[string]string `pulumi:"sysctlValues,optional"`
	LoadedModules   map[string]string `pulumi:"loadedModules,optional"`
}

// hostComputed are the properties that HostInputs has beyond HostArgs.
var hostComputed = []string{"packageVersions", "files", "units", "sysctlValues", "loadedModules"}

// Annotate documents the fields in the schema.
func (h *HostInputs) Annotate(a infer.Annotator) { h.HostArgs.Annotate(a) }

// Resource registers h with the provider.
func (h *Host) Resource() infer.InferredResource {
	return computedInputs(infer.Resource(h), hostComputed...)
}

// Requirements are lower bounds; zero or unset means any.
type Requirements struct {
	CPUs      *int `pulumi:"cpus,optional"`
	MemoryMiB *int `pulumi:"memoryMiB,optional"`
	DiskGiB   *int `pulumi:"diskGiB,optional"`
}

// Annotate documents the fields in the schema.
func (r *Requirements) Annotate(a infer.Annotator) {
	a.Describe(&r, "Lower bounds of a machine.")
	a.Describe(&r.CPUs, "Processors that the host sees, at least 1.")
	a.Describe(&r.MemoryMiB, "Memory in MiB, the smaller of what the kernel reports and what its control group allows.")
	a.Describe(&r.DiskGiB, "Size in GiB of the file system that holds /var/lib.")
}

// ContainerRuntime holds the settings of containerd.
type ContainerRuntime struct {
	SandboxImage string `pulumi:"sandboxImage"`
}

// Annotate documents the fields in the schema.
func (c *ContainerRuntime) Annotate(a infer.Annotator) {
	a.Describe(&c, "Settings of containerd.")
	a.Describe(&c.SandboxImage, "Image of the container that holds a pod's network, by tag or digest.")
}

// Registry is an image registry.
type Registry struct {
	Host    string   `pulumi:"host"`
	Mirrors []string `pulumi:"mirrors,optional"`
	CA      *string  `pulumi:"ca,optional"`
}

// Annotate documents the fields in the schema.
func (r *Registry) Annotate(a infer.Annotator) {
	a.Describe(&r, "An image registry reached over TLS.")
	a.Describe(&r.Host, "Host and port as in image names: \"10.90.0.1:5000\".")
	a.Describe(&r.Mirrors, "Further host:port endpoints with the same content, tried in order when the first does not answer; the same CA signs them.")
	a.Describe(&r.CA, "PEM certificate of the authority that signed the registry's certificate. Unset means the system's own trust.")
}

// VirtualAddress is an address that moves between hosts.
type VirtualAddress struct {
	Name      string  `pulumi:"name"`
	Address   string  `pulumi:"address"`
	Interface string  `pulumi:"interface"`
	RouterID  int     `pulumi:"routerID"`
	Priority  *int    `pulumi:"priority,optional"`
	CheckURL  string  `pulumi:"checkURL"`
	CheckCA   *string `pulumi:"checkCA,optional"`
	Majority  *bool   `pulumi:"majority,optional"`
}

// Annotate documents the fields in the schema.
func (v *VirtualAddress) Annotate(a infer.Annotator) {
	a.Describe(&v, "An address that one of several hosts holds.")
	a.Describe(&v.Name, "Name of the address, unique on the host: a lower-case DNS label.")
	a.Describe(&v.Address, "The address with its prefix length: \"10.90.0.100/24\".")
	a.Describe(&v.Interface, "Network interface that carries it.")
	a.Describe(&v.RouterID, "VRRP virtual router ID, 1 to 255, unique per address in a network segment.")
	a.Describe(&v.Priority, "Base priority, 1 to 100. Default 100. Hosts of equal priority do not take the address back when they return, so that it moves as seldom as possible.")
	a.Describe(&v.CheckURL, "URL on this host that answers 2xx while the service behind the address lives here. A host where it does wins over one where it does not.")
	a.Describe(&v.Majority, "True for a service that only a majority of the hosts can keep alive, as etcd's: a host where it lived gives the address up some 12 s after it has gone, so that one which is cut off from the others does not claim the address beside them. Until it first lives there, and by default, an address always stays with some host.")
	a.Describe(&v.CheckCA, "Path on the host of the CA file to verify checkURL's certificate with. Unset means no verification: the check never leaves the host.")
}

// HostState is what was asked for and what was seen on the machine.
type HostState struct {
	HostArgs
	Facts           Facts             `pulumi:"facts"`
	PackageVersions map[string]string `pulumi:"packageVersions"`
	Files           map[string]string `pulumi:"files"`
	Units           map[string]string `pulumi:"units"`
	SysctlValues    map[string]string `pulumi:"sysctlValues"`
	LoadedModules   map[string]string `pulumi:"loadedModules"`
}

// Annotate documents the fields in the schema.
func (s *HostState) Annotate(a infer.Annotator) {
	s.HostArgs.Annotate(a)
	a.Describe(&s.Facts, "What the machine is.")
	a.Describe(&s.PackageVersions, "Installed version by package, of those in packages; empty when missing.")
	a.Describe(&s.Files, "\"sha256:...\" of each managed file's content by path, or \"missing\". Of /etc/hosts only the managed block counts.")
	a.Describe(&s.Units, "\"enabled, active\" or what else holds, by systemd unit.")
	a.Describe(&s.SysctlValues, "Value by kernel setting, of those in sysctls.")
	a.Describe(&s.LoadedModules, "\"loaded\" or \"missing\" by kernel module, of those in kernelModules.")
}

// Facts are properties of a machine that do not change while it runs.
type Facts struct {
	OSRelease     string `pulumi:"osRelease"`
	Kernel        string `pulumi:"kernel"`
	Architecture  string `pulumi:"architecture"`
	CPUs          int    `pulumi:"cpus"`
	MemoryMiB     int    `pulumi:"memoryMiB"`
	DiskGiB       int    `pulumi:"diskGiB"`
	MachineID     string `pulumi:"machineId"`
	CgroupVersion string `pulumi:"cgroupVersion"`
}

// Annotate documents the fields in the schema.
func (f *Facts) Annotate(a infer.Annotator) {
	a.Describe(&f, "Properties of a machine that do not change while it runs.")
	a.Describe(&f.OSRelease, "PRETTY_NAME of /etc/os-release.")
	a.Describe(&f.Kernel, "Kernel release.")
	a.Describe(&f.Architecture, "Machine architecture as the kernel calls it, such as x86_64.")
	a.Describe(&f.CPUs, "Processors that the host sees.")
	a.Describe(&f.MemoryMiB, "Memory in MiB.")
	a.Describe(&f.DiskGiB, "Size in GiB of the file system that holds /var/lib.")
	a.Describe(&f.MachineID, "/etc/machine-id: tells machines apart that have the same address or name.")
	a.Describe(&f.CgroupVersion, "Control groups of the host: v1, hybrid or v2.")
}
