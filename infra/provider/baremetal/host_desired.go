// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

const (
	containerdConfig = "/etc/containerd/config.toml"
	registryFolder   = "/etc/containerd/certs.d"
	sysctlFile       = "/etc/sysctl.d/90-spine.conf"
	modulesFile      = "/etc/modules-load.d/spine.conf"
	hostsFile        = "/etc/hosts"

	containerdUnit = "containerd.service"
	keepalivedUnit = "keepalived.service"
	sshUnit        = "ssh.service"

	unitRunning = "enabled, active"
	fileMissing = "missing"
	modLoaded   = "loaded"
	modMissing  = "missing"

	managedNote = "# Written by the provider spine; a change by hand is undone by the next `pulumi up`.\n"
)

// managedFile is a managed file.
type managedFile struct {
	content string
	mode    fs.FileMode
}

// hostSpec is what a machine should look like: a pure function of the inputs.
type hostSpec struct {
	packages []string
	modules  []string
	sysctls  map[string]string
	// files holds whole files by path; of /etc/hosts only our block.
	files map[string]managedFile
	// units should each be enabled and active.
	units []string
}

// desired renders the inputs. It expects them checked.
func desired(in HostArgs) hostSpec {
	s := hostSpec{
		packages: sortedUnique(in.Packages),
		modules:  sortedUnique(in.KernelModules),
		sysctls:  in.Sysctls,
		files:    map[string]managedFile{},
		// ssh is how we come back: a host that would not start it again after
		// a reboot is lost to us.
		units: []string{sshUnit},
	}
	if in.ContainerRuntime != nil || in.Registry != nil {
		s.files[containerdConfig] = managedFile{renderContainerd(in.ContainerRuntime), 0o644}
		s.units = append(s.units, containerdUnit)
	}
	if in.Registry != nil {
		s.files[registryHostsFile(in.Registry.Host)] = managedFile{renderRegistry(*in.Registry), 0o644}
		if in.Registry.CA != nil {
			s.files[RegistryCAFile(in.Registry.Host)] = managedFile{*in.Registry.CA, 0o644}
		}
	}
	if len(in.Sysctls) > 0 {
		s.files[sysctlFile] = managedFile{renderSysctls(in.Sysctls), 0o644}
	}
	if len(in.KernelModules) > 0 {
		s.files[modulesFile] = managedFile{managedNote + strings.Join(s.modules, "\n") + "\n", 0o644}
	}
	if len(in.HostEntries) > 0 {
		s.files[hostsFile] = managedFile{renderHostEntries(in.HostEntries), 0o644}
	}
	if len(in.VirtualAddresses) > 0 {
		s.files[keepalivedConfig] = managedFile{renderKeepalived(in.Name, in.VirtualAddresses), 0o644}
		s.files[keepalivedCheck] = managedFile{keepalivedCheckContent, 0o755}
		s.files[keepalivedDefaults] = managedFile{keepalivedDefaultsContent, 0o644}
		s.units = append(s.units, keepalivedUnit)
	}
	return s
}

// digests returns the files in the form that state keeps.
func (s hostSpec) digests() map[string]string {
	out := make(map[string]string, len(s.files))
	for path, f := range s.files {
		out[path] = contentDigest(f.content)
	}
	return out
}

func contentDigest(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// RegistryCAFile is the path on a host of the CA file that Host writes for the
// registry, whatever else runs there may use it too: `curl --cacert`.
func RegistryCAFile(registryHost string) string {
	return registryFolder + "/" + registryHost + "/ca.crt"
}

func registryHostsFile(registryHost string) string {
	return registryFolder + "/" + registryHost + "/hosts.toml"
}

// renderContainerd writes only what differs from containerd's defaults.
func renderContainerd(c *ContainerRuntime) string {
	var b strings.Builder
	b.WriteString(managedNote)
	b.WriteString("version = 2\n[plugins.\"io.containerd.grpc.v1.cri\"]\n")
	if c != nil {
		fmt.Fprintf(&b, "  sandbox_image = %q\n", c.SandboxImage)
	}
	// containerd may lack the right to lower scores below its own, as on a
	// host that is itself a container; elsewhere its own is the lowest anyway.
	b.WriteString("  restrict_oom_score_adj = true\n")
	b.WriteString("  [plugins.\"io.containerd.grpc.v1.cri\".cni]\n    bin_dir = \"/usr/lib/cni\"\n    conf_dir = \"/etc/cni/net.d\"\n")
	fmt.Fprintf(&b, "  [plugins.\"io.containerd.grpc.v1.cri\".registry]\n    config_path = %q\n", registryFolder)
	return b.String()
}

// renderRegistry lists the registry first, then its mirrors in their order. The
// server is asked once more after them, so it needs the CA as well: without it
// a missing image would be reported as a certificate that is not trusted.
func renderRegistry(r Registry) string {
	var b strings.Builder
	b.WriteString(managedNote)
	fmt.Fprintf(&b, "server = %q\n", "https://"+r.Host)
	if r.CA != nil {
		fmt.Fprintf(&b, "ca = %q\n", RegistryCAFile(r.Host))
	}
	for _, host := range append([]string{r.Host}, r.Mirrors...) {
		fmt.Fprintf(&b, "\n[host.%q]\n  capabilities = [\"pull\", \"resolve\"]\n", "https://"+host)
		if r.CA != nil {
			fmt.Fprintf(&b, "  ca = %q\n", RegistryCAFile(r.Host))
		}
	}
	return b.String()
}

func renderSysctls(values map[string]string) string {
	var b strings.Builder
	b.WriteString(managedNote)
	for _, k := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(&b, "%s = %s\n", k, values[k])
	}
	return b.String()
}

func sortedUnique(s []string) []string {
	out := slices.Clone(s)
	slices.Sort(out)
	return slices.Compact(out)
}
