// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"spine.nhs.uk/controlplane/infra/provider/remote"
)

// observation is what a machine looks like now.
type observation struct {
	facts    Facts
	packages map[string]string
	files    map[string]string
	units    map[string]string
	sysctls  map[string]string
	modules  map[string]string
	// etcHosts is the whole content of /etc/hosts.
	etcHosts string
}

// hostItems says what to look at.
type hostItems struct{ packages, files, units, sysctls, modules []string }

// observeHost looks at the machine with one script and changes nothing.
func observeHost(ctx context.Context, h remote.Host, want hostItems) (observation, error) {
	result, err := h.Run(ctx, observeScript(want))
	if err != nil {
		return observation{}, err
	}
	return parseObservation(result.Stdout)
}

// observeScript prints lines of kind, name and value, separated by tabs.
func observeScript(want hostItems) string {
	var b strings.Builder
	b.WriteString("# look at the host\n" + factsScript)
	b.WriteString("printf 'etchosts\\t-\\t%s\\n' \"$(base64 -w0 </etc/hosts)\"\n")
	for _, name := range want.packages {
		fmt.Fprintf(&b, "printf 'package\\t%%s\\t%%s\\n' %[1]s \"$(dpkg-query -W -f '${db:Status-Status} ${Version}' %[1]s 2>/dev/null | sed -n 's/^installed //p')\"\n", remote.Quote(name))
	}
	for _, path := range want.files {
		if path == hostsFile {
			continue // its block is taken from the content above
		}
		fmt.Fprintf(&b, "printf 'file\\t%%s\\t%%s\\n' %[1]s \"$([ -f %[1]s ] && sha256sum <%[1]s | cut -c1-64)\"\n", remote.Quote(path))
	}
	for _, name := range want.units {
		fmt.Fprintf(&b, "printf 'unit\\t%%s\\t%%s, %%s%%s\\n' %[1]s \"$(systemctl is-enabled %[1]s 2>/dev/null | head -n1)\" \"$(systemctl is-active %[1]s)\" \"$([ ! -e %[2]s/%[1]s ] || echo ', restart pending')\"\n", remote.Quote(name), pendingFolder)
	}
	for _, key := range want.sysctls {
		fmt.Fprintf(&b, "printf 'sysctl\\t%%s\\t%%s\\n' %[1]s \"$(sysctl -n %[1]s 2>/dev/null | tr '\\t' ' ')\"\n", remote.Quote(key))
	}
	for _, name := range want.modules {
		fmt.Fprintf(&b, "printf 'module\\t%%s\\t%%s\\n' %[1]s \"$(%[2]s)\"\n", remote.Quote(name), moduleTest(name))
	}
	b.WriteString("exit 0\n")
	return b.String()
}

// moduleTest prints "loaded" or "missing". What is built into the kernel counts
// as loaded. So does everything on a host without any module tree, a container
// or a kernel without modules: it has what it has, and loading is not ours.
func moduleTest(name string) string {
	folder := strings.ReplaceAll(name, "-", "_")
	return fmt.Sprintf("{ [ -d /sys/module/%[1]s ] || [ ! -d /lib/modules/$(uname -r) ] || grep -qs '/%[1]s\\.ko$' /lib/modules/$(uname -r)/modules.builtin; } && echo %[2]s || echo %[3]s",
		folder, modLoaded, modMissing)
}

// factsScript prints the facts. A control group may allow less memory than the
// machine has, as on a host that is itself a container.
const factsScript = `
fact() { printf 'fact\t%s\t%s\n' "$1" "$2"; }
fact osRelease "$(base64 -w0 </etc/os-release)"
fact kernel "$(uname -r)"
fact architecture "$(uname -m)"
fact cpus "$(nproc)"
fact machineId "$(cat /etc/machine-id)"
memory=$(awk '/^MemTotal:/ {print $2 * 1024}' /proc/meminfo)
for limit in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
	if [ -r "$limit" ]; then
		value=$(cat "$limit")
		[ "$value" != max ] && memory=$(awk -v a="$memory" -v b="$value" 'BEGIN {printf "%.0f", (b < a) ? b : a}')
	fi
done
fact memoryMiB "$(awk -v m="$memory" 'BEGIN {printf "%d", m / 1048576}')"
fact diskGiB "$(df -B1 --output=size /var/lib | awk 'NR == 2 {printf "%d", $1 / 1073741824}')"
case $(stat -fc %T /sys/fs/cgroup) in
cgroup2fs) fact cgroupVersion v2 ;;
*) if [ -d /sys/fs/cgroup/unified ]; then fact cgroupVersion hybrid; else fact cgroupVersion v1; fi ;;
esac
`

// parseObservation reads what observeScript prints.
func parseObservation(out string) (observation, error) {
	o := observation{packages: map[string]string{}, files: map[string]string{}, units: map[string]string{}, sysctls: map[string]string{}, modules: map[string]string{}}
	for _, line := range strings.Split(strings.TrimRight(out, "\n"), "\n") {
		kind, name, value, err := splitLine(line)
		if err != nil {
			return o, err
		}
		switch kind {
		case "fact":
			err = o.facts.set(name, value)
		case "etchosts":
			var content []byte
			content, err = base64.StdEncoding.DecodeString(value)
			o.etcHosts = string(content)
		case "package":
			o.packages[name] = value
		case "file":
			o.files[name] = fileMissing
			if value != "" {
				o.files[name] = "sha256:" + value
			}
		case "unit":
			o.units[name] = value
		case "sysctl":
			o.sysctls[name] = oneSpace(value)
		case "module":
			o.modules[name] = value
		default:
			err = fmt.Errorf("unknown kind %q", kind)
		}
		if err != nil {
			return o, fmt.Errorf("reading what the host reported: %q: %w", line, err)
		}
	}
	o.files[hostsFile] = fileMissing
	if _, block := splitHosts(o.etcHosts); block != "" {
		o.files[hostsFile] = contentDigest(block)
	}
	return o, nil
}

func splitLine(line string) (kind, name, value string, err error) {
	fields := strings.SplitN(line, "\t", 3)
	if len(fields) != 3 {
		return "", "", "", fmt.Errorf("reading what the host reported: expected kind, name and value, got %q", line)
	}
	return fields[0], fields[1], strings.TrimSpace(fields[2]), nil
}

// set stores one reported fact; facts it does not know are for others.
func (f *Facts) set(name, value string) (err error) {
	switch name {
	case "osRelease":
		var content []byte
		if content, err = base64.StdEncoding.DecodeString(value); err == nil {
			f.OSRelease = parseOSRelease(string(content))["PRETTY_NAME"]
		}
	case "kernel":
		f.Kernel = value
	case "architecture":
		f.Architecture = value
	case "machineId":
		f.MachineID = value
	case "cgroupVersion":
		f.CgroupVersion = value
	case "cpus":
		f.CPUs, err = strconv.Atoi(value)
	case "memoryMiB":
		f.MemoryMiB, err = strconv.Atoi(value)
	case "diskGiB":
		f.DiskGiB, err = strconv.Atoi(value)
	}
	return err
}

// parseOSRelease reads KEY=value lines; values may be quoted.
func parseOSRelease(content string) map[string]string {
	out := map[string]string{}
	for _, line := range strings.Split(content, "\n") {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.HasPrefix(key, "#") {
			continue
		}
		if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
			value = value[1 : n-1]
		}
		out[key] = value
	}
	return out
}
