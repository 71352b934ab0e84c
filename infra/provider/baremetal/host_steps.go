// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"spine.nhs.uk/controlplane/infra/provider/remote"
)

// installPackages installs what is missing and notes which packages those were,
// so that deleting the host removes only them.
func (a *applier) installPackages(ctx context.Context) error {
	var missing []string
	for _, name := range a.spec.packages {
		if a.seen.packages[name] == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	a.say("installing %s", strings.Join(missing, ", "))
	script := fmt.Sprintf(`export DEBIAN_FRONTEND=noninteractive
mkdir -p -m 0700 %[1]s
for name in %[2]s; do echo "$name" >>%[1]s/packages; done
apt-get -q update || echo 'the package lists could not be renewed, going on with those that are there'
exec apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 install %[2]s
`, savedFolder, strings.Join(missing, " "))
	err := a.host.RunUnit(ctx, "spine-packages", script, func(line string) { a.say("installing packages: %s", line) })
	if remote.IsExit(err) {
		return fmt.Errorf("host %s: packages %s are missing and could not be installed: install them by hand or give the host a Debian mirror that has them: %w", a.in.Name, strings.Join(missing, ", "), err)
	}
	return err
}

func (a *applier) loadModules(ctx context.Context) error {
	var missing []string
	for _, name := range a.spec.modules {
		if a.seen.modules[name] != modLoaded {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	a.say("loading kernel modules %s", strings.Join(missing, ", "))
	return a.each(ctx, "# load kernel modules\n", missing, func(name string) string {
		return fmt.Sprintf("modprobe -- %s", remote.Quote(name))
	}, "kernel module %s cannot be loaded: take it out of kernelModules or install a kernel that has it")
}

func (a *applier) setSysctls(ctx context.Context) error {
	var wrong []string
	for _, key := range slices.Sorted(maps.Keys(a.spec.sysctls)) {
		if oneSpace(a.seen.sysctls[key]) != oneSpace(a.spec.sysctls[key]) {
			wrong = append(wrong, key)
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	a.say("setting %s", strings.Join(wrong, ", "))
	return a.each(ctx, "# set kernel settings\n", wrong, func(key string) string {
		return "sysctl -q -w " + remote.Quote(key+"="+a.spec.sysctls[key])
	}, "kernel setting %s cannot be set: check its name and value, and that the kernel module it belongs to is in kernelModules")
}

// each runs one command for each name, all of them even if some fail, and
// reports every failure with the command's own words.
func (a *applier) each(ctx context.Context, title string, names []string, command func(name string) string, failure string) error {
	var script strings.Builder
	script.WriteString(title)
	for _, name := range names {
		fmt.Fprintf(&script, "error=$(%s 2>&1 </dev/null) || printf '%%s\\t%%s\\n' %s \"$(echo \"$error\" | tr '\\n\\t' '  ')\"\n", command(name), remote.Quote(name))
	}
	result, err := a.host.Run(ctx, script.String()+"exit 0\n")
	if err != nil {
		return err
	}
	var problems []string
	for _, line := range strings.Split(strings.TrimSpace(result.Stdout), "\n") {
		if name, words, ok := strings.Cut(line, "\t"); ok {
			problems = append(problems, fmt.Sprintf(failure, name)+" ("+strings.TrimSpace(words)+")")
		}
	}
	if len(problems) > 0 {
		return fmt.Errorf("host %s: %s", a.in.Name, strings.Join(problems, "; "))
	}
	return nil
}

// wrongFiles are those that writeFiles will write.
func (a *applier) wrongFiles() []string {
	var out []string
	for _, path := range slices.Sorted(maps.Keys(a.spec.files)) {
		if a.seen.files[path] != contentDigest(a.spec.files[path].content) {
			out = append(out, path)
		}
	}
	return out
}

func (a *applier) writeFiles(ctx context.Context) error {
	wrong := a.wrongFiles()
	if len(wrong) == 0 {
		return nil
	}
	a.say("writing %s", strings.Join(wrong, ", "))
	var script strings.Builder
	script.WriteString("# write files\nset -e\n")
	for _, path := range wrong {
		// A run that dies between this file and the unit's restart must leave
		// a trace: file and unit alone would both look right to the next one.
		if unit := unitOf(path); unit != "" {
			fmt.Fprintf(&script, "mkdir -p %[1]s && : >%[1]s/%[2]s\n", pendingFolder, unit)
		}
		content := a.spec.files[path].content
		if path == hostsFile {
			content = withHostsBlock(a.seen.etcHosts, content)
		}
		script.WriteString("(\n" + remote.UploadScript(path, []byte(content), a.spec.files[path].mode) + ")\n")
	}
	_, err := a.host.Run(ctx, script.String())
	return err
}

// pendingFolder holds a mark for each unit that has not read its files yet. It
// is on tmpfs, as a unit that starts at boot reads them.
const pendingFolder = "/run/spine/pending"

// unitOf is the unit that has to be told of a new file, if any.
func unitOf(path string) string {
	switch path {
	case containerdConfig:
		return containerdUnit
	case keepalivedConfig, keepalivedDefaults:
		return keepalivedUnit
	}
	return ""
}

// startUnits enables and starts what is not, and restarts what has a new
// configuration. Containers survive a restart of containerd.
func (a *applier) startUnits(ctx context.Context) error {
	changed := a.wrongFiles()
	var script strings.Builder
	for _, a := range a.in.VirtualAddresses {
		fmt.Fprintf(&script, "[ -d /sys/class/net/%[1]s ] || { echo 'virtual address %[2]s: there is no network interface %[1]s' >&2; exit 1; }\n", a.Interface, a.Name)
	}
	var names []string
	for _, unit := range a.spec.units {
		action := ""
		switch {
		case a.seen.units[unit] != unitRunning:
			action = "restart"
		case !slices.ContainsFunc(changed, func(path string) bool { return unitOf(path) == unit }):
		case unit == keepalivedUnit && !slices.Contains(changed, keepalivedDefaults):
			// A reload keeps the addresses where they are.
			action = "reload"
		default:
			action = "restart"
		}
		// Restarting sshd is never worth losing the way in.
		if unit == sshUnit && action != "" {
			action = "start"
		}
		if action != "" {
			names = append(names, unit)
			fmt.Fprintf(&script, "start %s %s & started=\"$started $!\"\n", action, unit)
		}
	}
	if len(names) == 0 {
		return nil
	}
	a.say("starting %s", strings.Join(names, ", "))
	_, err := a.host.Run(ctx, `# start units
started=
start() {
	systemctl -q enable "$2" 2>/dev/null || { echo "unit $2 cannot be enabled: is its package in packages?" >&2; return 1; }
	systemctl -q "$1" "$2" </dev/null || { journalctl -q --no-pager -o cat -n 6 -u "$2" >&2; return 1; }
	rm -f "`+pendingFolder+`/$2"
}
`+script.String()+"for p in $started; do wait $p || failed=1; done\nexit ${failed:-0}\n")
	return err
}
