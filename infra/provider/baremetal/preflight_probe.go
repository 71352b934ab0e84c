// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"spine.nhs.uk/controlplane/infra/provider/kubeadm"
	"spine.nhs.uk/controlplane/infra/provider/remote"
)

const (
	// maxSkew is half of what etcd warns about plus room for a busy host:
	// certificates and leases tolerate no more than a few seconds.
	maxSkew = 5 * time.Second
	// oldestDebian and oldestKernel are what the site's images are built for.
	oldestDebian = 12
	oldestKernel = "5.10"
)

// requiredCommands are those that the provider's scripts use and that a minimal
// Debian may lack, with the package that has each.
var requiredCommands = []struct{ name, pkg string }{
	{"systemctl", "systemd"}, {"systemd-run", "systemd"}, {"journalctl", "systemd"},
	{"flock", "util-linux"}, {"timeout", "coreutils"}, {"base64", "coreutils"}, {"sha256sum", "coreutils"},
	{"sysctl", "procps"}, {"modprobe", "kmod"}, {"curl", "curl"}, {"ip", "iproute2"}, {"dpkg-query", "dpkg"},
}

// preflightScript prints what inspect needs, in the form of observeScript.
func preflightScript(registry *Registry) string {
	var b strings.Builder
	b.WriteString("# preflight checks\n" + factsScript)
	b.WriteString("fact clock \"$(date +%s.%N)\"\nfact uid \"$(id -u)\"\n")
	fmt.Fprintf(&b, "if [ -e %[1]s ]; then fact cluster \"$(base64 -w0 <%[1]s)\"; fi\n", markerFile)
	b.WriteString("runs=$(sed -n 's#.*image: .*/kube-apiserver:\\(v[0-9.]*\\).*#\\1#p' /etc/kubernetes/manifests/kube-apiserver.yaml 2>/dev/null)\n" +
		"if [ -n \"$runs\" ]; then fact runs \"$runs\"; fi\n")
	for _, c := range requiredCommands {
		fmt.Fprintf(&b, "command -v %s >/dev/null || fact missing '%s, of package %s'\n", c.name, c.name, c.pkg)
	}
	b.WriteString("[ -r /sys/fs/cgroup/cgroup.controllers ] || [ -d /sys/fs/cgroup/memory ] || fact missing 'the memory control group'\n")
	if registry != nil {
		trust := ""
		b.WriteString("ca=$(mktemp)\n")
		if registry.CA != nil {
			trust = "--cacert \"$ca\""
			fmt.Fprintf(&b, "cat >\"$ca\" <<'END'\n%s\nEND\n", strings.TrimSpace(*registry.CA))
		}
		fmt.Fprintf(&b, "error=$(curl --silent --show-error --fail --max-time 5 --output /dev/null %s %s 2>&1) || fact registry \"$(echo \"$error\" | tr '\\n\\t' '  ') \"\nrm -f \"$ca\"\n",
			trust, remote.Quote("https://"+registry.Host+"/v2/"))
	}
	b.WriteString("exit 0\n")
	return b.String()
}

// preflightReport is what a host reported.
type preflightReport struct {
	facts     Facts
	osID      string
	osVersion string
	clock     time.Time
	uid       string
	// cluster is the content of the cluster's mark, empty when there is none.
	cluster string
	// runs is the version of the API server's manifest, empty when there is none.
	runs     string
	missing  []string
	registry string
}

// parsePreflight reads what preflightScript prints.
func parsePreflight(out string) (preflightReport, error) {
	var r preflightReport
	for _, line := range strings.Split(strings.TrimRight(out, "\n"), "\n") {
		_, name, value, err := splitLine(line)
		if err != nil {
			return r, err
		}
		switch name {
		case "clock":
			r.clock, err = parseClock(value)
		case "uid":
			r.uid = value
		case "missing":
			r.missing = append(r.missing, value)
		case "registry":
			r.registry = value
		case "runs":
			r.runs = value
		case "cluster":
			var content []byte
			content, err = base64.StdEncoding.DecodeString(value)
			r.cluster = string(content)
		case "osRelease":
			var content []byte
			if content, err = base64.StdEncoding.DecodeString(value); err == nil {
				release := parseOSRelease(string(content))
				r.osID, r.osVersion = release["ID"], release["VERSION_ID"]
				r.facts.OSRelease = release["PRETTY_NAME"]
			}
		default:
			err = r.facts.set(name, value)
		}
		if err != nil {
			return r, fmt.Errorf("reading what the host reported: %q: %w", line, err)
		}
	}
	return r, nil
}

// parseClock reads seconds since 1970 with a fraction.
func parseClock(s string) (time.Time, error) {
	whole, fraction, _ := strings.Cut(s, ".")
	sec, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a time in seconds: %w", s, err)
	}
	nsec, err := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	if err != nil || nsec < 0 {
		return time.Time{}, fmt.Errorf("%q is not a time in seconds", s)
	}
	return time.Unix(sec, nsec), nil
}

// problems judges a report. The host read its clock at some moment between
// asked and answered.
func (r preflightReport) problems(host PreflightHost, in PreflightArgs, asked, answered time.Time) []string {
	var out []string
	bad := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if r.uid != "0" {
		bad("scripts run with user ID %s: log in as root, or let the user run `sudo -n`", r.uid)
	}
	if major, err := strconv.Atoi(r.osVersion); r.osID != "debian" || (err == nil && major < oldestDebian) {
		bad("runs %s: Debian %d or newer is needed", r.facts.OSRelease, oldestDebian)
	}
	if olderKernel(r.facts.Kernel, oldestKernel) {
		bad("runs kernel %s: %s or newer is needed", r.facts.Kernel, oldestKernel)
	}
	for _, m := range r.missing {
		bad("lacks %s: install it", m)
	}
	out = append(out, unmet(host.Requirements, r.facts)...)
	if skew := clockSkew(r.clock, asked, answered); skew > maxSkew {
		bad("its clock is off by %s, at most %s is allowed: synchronise it (chrony or systemd-timesyncd)", skew.Round(time.Second), maxSkew)
	}
	if r.registry != "" {
		bad("cannot use the registry %s: %s: check that it runs, that the host can reach it, and that registry.ca signed its certificate", in.Registry.Host, r.registry)
	}
	if r.cluster != "" && in.Cluster != nil {
		var mark struct {
			Cluster string `json:"cluster"`
		}
		if err := json.Unmarshal([]byte(r.cluster), &mark); err != nil {
			bad("%s cannot be read (%v): it says which cluster the host is a member of; remove it if there is none", markerFile, err)
		} else if mark.Cluster != *in.Cluster {
			bad("is a member of cluster %q already: take it out there first", mark.Cluster)
		} else if err := r.versionProblem(in.Version); err != nil {
			bad("kubernetes.version: %v", err)
		}
	}
	return out
}

// versionProblem says why kubeadm cannot take a member to the version asked for.
func (r preflightReport) versionProblem(version *string) error {
	if version == nil || r.runs == "" || r.runs == *version {
		return nil
	}
	return kubeadm.CheckUpgrade(r.runs, *version)
}

// clockSkew is how far the clock is outside of the time that the question took.
func clockSkew(clock, asked, answered time.Time) time.Duration {
	switch {
	case clock.Before(asked):
		return asked.Sub(clock)
	case clock.After(answered):
		return clock.Sub(answered)
	}
	return 0
}

// olderKernel compares major and minor version; a release that cannot be read
// counts as new enough.
func olderKernel(release, oldest string) bool {
	var major, minor, wantMajor, wantMinor int
	if n, _ := fmt.Sscanf(release, "%d.%d", &major, &minor); n != 2 {
		return false
	}
	fmt.Sscanf(oldest, "%d.%d", &wantMajor, &wantMinor)
	return major < wantMajor || major == wantMajor && minor < wantMinor
}
