// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"spine.nhs.uk/controlplane/infra/provider/remote"
)

// Check reports every bad input at once and uses no network.
func (h *Host) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[HostInputs], error) {
	in, failures, err := infer.DefaultCheck[HostInputs](ctx, req.NewInputs)
	if err != nil {
		return infer.CheckResponse[HostInputs]{}, err
	}
	failures = append(failures, refuseComputed(req.NewInputs, hostComputed)...)
	// A property that could not be decoded has its failure already, and one
	// that is not known yet is checked when it is.
	skip := map[string]bool{}
	for _, f := range failures {
		top, _, _ := strings.Cut(f.Property, ".")
		top, _, _ = strings.Cut(top, "[")
		skip[top] = true
	}
	for k, v := range req.NewInputs.All {
		if v.HasComputed() {
			skip[k] = true
		}
	}
	for _, f := range checkHost(in.HostArgs) {
		top, _, _ := strings.Cut(f.Property, ".")
		top, _, _ = strings.Cut(top, "[")
		if !skip[top] {
			failures = append(failures, f)
		}
	}
	if len(failures) == 0 && !property.New(req.NewInputs).HasComputed() {
		in.fill()
	}
	return infer.CheckResponse[HostInputs]{Inputs: in, Failures: failures}, nil
}

// fill sets what the arguments mean for the machine.
func (h *HostInputs) fill() {
	want := predicted(h.HostArgs, HostState{})
	h.Files, h.Units, h.SysctlValues, h.LoadedModules = want.Files, want.Units, want.SysctlValues, want.LoadedModules
	h.PackageVersions = constant(desired(h.HostArgs).packages, wantInstalled)
}

// The words that go into files and scripts are checked against what belongs
// there, so that no value can become a second line or option.
var (
	dnsLabel      = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	dnsName       = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`)
	debianPackage = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+$`)
	sysctlKey     = regexp.MustCompile(`^[a-z0-9_]+([./][a-zA-Z0-9_:-]+)+$`)
	sysctlValue   = regexp.MustCompile(`^[-a-zA-Z0-9_.,:+/ ]+$`)
	moduleName    = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9_-]*$`)
	userName      = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,31}$`)
	registryHost  = regexp.MustCompile(`^[a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?(:[0-9]{1,5})?$`)
	imageName     = regexp.MustCompile(`^[a-zA-Z0-9][-a-zA-Z0-9._:/]*(@sha256:[0-9a-f]{64})?$`)
	interfaceName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.@-]{0,14}$`)
	plainURL      = regexp.MustCompile(`^https?://[-a-zA-Z0-9._~:/?&=%\[\]]+$`)
	absolutePath  = regexp.MustCompile(`^/[-a-zA-Z0-9._/:]+$`)
)

// hostChecker collects failures.
type hostChecker struct{ failures []p.CheckFailure }

func (c *hostChecker) fail(property, format string, args ...any) {
	c.failures = append(c.failures, p.CheckFailure{Property: property, Reason: fmt.Sprintf(format, args...)})
}

func (c *hostChecker) match(property, value string, pattern *regexp.Regexp, expected string) {
	if !pattern.MatchString(value) {
		c.fail(property, "%q is not %s", value, expected)
	}
}

func checkHost(in HostArgs) []p.CheckFailure {
	c := &hostChecker{}
	c.match("name", in.Name, dnsLabel, "a host name: expected 1 to 63 lower-case letters, digits and dashes")
	c.ipv4("address", in.Address)
	c.ssh(in.SSH)
	if l := in.Labels; l != nil {
		c.match("labels.site", l.Site, dnsLabel, "a label: expected 1 to 63 lower-case letters, digits and dashes")
		c.match("labels.rack", l.Rack, dnsLabel, "a label: expected 1 to 63 lower-case letters, digits and dashes")
	}
	c.requirements(in.Requirements)
	for i, name := range in.Packages {
		c.match(fmt.Sprintf("packages[%d]", i), name, debianPackage, "the name of a Debian package")
	}
	for _, key := range slices.Sorted(maps.Keys(in.Sysctls)) {
		property := fmt.Sprintf("sysctls[%q]", key)
		c.match(property, key, sysctlKey, "a kernel setting such as net.ipv4.ip_forward")
		c.match(property, in.Sysctls[key], sysctlValue, "a value of a kernel setting: expected letters, digits, spaces and -_.,:+/")
	}
	for i, name := range in.KernelModules {
		c.match(fmt.Sprintf("kernelModules[%d]", i), name, moduleName, "the name of a kernel module")
	}
	if r := in.ContainerRuntime; r != nil {
		c.match("containerRuntime.sandboxImage", r.SandboxImage, imageName, "an image such as 10.90.0.1:5000/spine/pause:3.10")
	}
	if in.Registry != nil {
		c.registry("registry", *in.Registry)
	}
	for _, name := range slices.Sorted(maps.Keys(in.HostEntries)) {
		property := fmt.Sprintf("hostEntries[%q]", name)
		c.match(property, name, dnsName, "a host name")
		c.ipv4(property, in.HostEntries[name])
	}
	c.virtualAddresses(in)
	return c.failures
}

func (c *hostChecker) ipv4(property, value string) {
	if a, err := netip.ParseAddr(value); err != nil || !a.Is4() || a.IsUnspecified() {
		c.fail(property, "%q is not an IPv4 address: expected one such as 10.90.0.11", value)
	}
}

func (c *hostChecker) ssh(s SSH) {
	if _, err := remote.ParseHostKey(s.HostKey); err != nil {
		c.fail("ssh.hostKey", "%v", err)
	}
	if s.User != nil {
		c.match("ssh.user", *s.User, userName, "a user name")
	}
	if s.Port != nil && (*s.Port < 1 || *s.Port > 65535) {
		c.fail("ssh.port", "%d is not a TCP port: expected 1 to 65535", *s.Port)
	}
	if s.IdentityFile != nil && *s.IdentityFile == "" {
		c.fail("ssh.identityFile", "is empty: name a file, or leave it out to use the SSH agent")
	}
}

func (c *hostChecker) requirements(r *Requirements) {
	if r == nil {
		return
	}
	for _, v := range []struct {
		name  string
		value *int
	}{{"cpus", r.CPUs}, {"memoryMiB", r.MemoryMiB}, {"diskGiB", r.DiskGiB}} {
		if v.value != nil && *v.value < 0 {
			c.fail("requirements."+v.name, "%d is negative: expected 0 (any) or more", *v.value)
		}
	}
}
