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

// savedFolder holds on the host what was there before our first change: a file
// or a mark of its absence, each unit's and each setting's state, and the names
// of the packages that we installed.
const savedFolder = "/var/lib/spine/host"

// remember saves what is about to be managed, once: what an earlier run saved
// is the older truth.
func (a *applier) remember(ctx context.Context) error {
	var script strings.Builder
	script.WriteString(`# remember the host as it was
set -eu
umask 077
cd / && mkdir -p ` + savedFolder + `/files ` + savedFolder + `/units ` + savedFolder + `/sysctls
cd ` + savedFolder + `
name() { printf %s "$1" | tr / %; }
save_file() {
	n=$(name "$1")
	if [ -e "files/$n" ] || [ -e "files/$n.absent" ]; then return; fi
	if [ -e "$1" ]; then cp -p "$1" new && mv new "files/$n"; else : >"files/$n.absent"; fi
}
save_unit() {
	if [ -e "units/$1" ]; then return; fi
	echo "$(systemctl is-enabled "$1" 2>/dev/null | head -n1) $(systemctl is-active "$1")" >new && mv new "units/$1"
}
save_sysctl() {
	if [ -e "sysctls/$1" ]; then return; fi
	if sysctl -n "$1" >new 2>/dev/null; then mv new "sysctls/$1"; fi
}
`)
	for _, path := range slices.Sorted(maps.Keys(a.spec.files)) {
		if path != hostsFile { // only our block of it is ever removed
			fmt.Fprintf(&script, "save_file %s\n", remote.Quote(path))
		}
	}
	for _, unit := range a.spec.units {
		fmt.Fprintf(&script, "save_unit %s\n", remote.Quote(unit))
	}
	for _, key := range slices.Sorted(maps.Keys(a.spec.sysctls)) {
		fmt.Fprintf(&script, "save_sysctl %s\n", remote.Quote(key))
	}
	script.WriteString("rm -f new\n")
	_, err := a.host.Run(ctx, script.String())
	return err
}

// takeBack undoes what an earlier state managed and spec no longer asks for.
func (a *applier) takeBack(ctx context.Context) error {
	var gone hostItems
	for path := range a.earlier.Files {
		if _, ok := a.spec.files[path]; !ok {
			gone.files = append(gone.files, path)
		}
	}
	for unit := range a.earlier.Units {
		if !slices.Contains(a.spec.units, unit) {
			gone.units = append(gone.units, unit)
		}
	}
	for key := range a.earlier.SysctlValues {
		if _, ok := a.spec.sysctls[key]; !ok {
			gone.sysctls = append(gone.sysctls, key)
		}
	}
	if len(gone.files)+len(gone.units)+len(gone.sysctls) == 0 {
		return nil
	}
	a.say("taking back %s", strings.Join(slices.Concat(gone.files, gone.units, gone.sysctls), ", "))
	_, err := a.host.Run(ctx, undoScript(gone, a.seen.etcHosts))
	return err
}

// undoScript puts items back to what was saved, and forgets that they were. It
// stops units before it changes their files, and starts them after, if they
// ran before.
func undoScript(gone hostItems, etcHosts string) string {
	var b strings.Builder
	b.WriteString(`# put things back
set -u
cd ` + savedFolder + ` 2>/dev/null || exit 0
name() { printf %s "$1" | tr / %; }
stop_unit() {
	if [ -e "units/$1" ]; then systemctl -q stop "$1" 2>/dev/null; fi
}
restore_file() {
	n=$(name "$1")
	if [ -e "files/$n" ]; then
		cp -p "files/$n" "$1" && rm -f "files/$n"
	elif [ -e "files/$n.absent" ]; then
		rm -f "$1" "files/$n.absent"
	fi
}
restore_unit() {
	[ -e "units/$1" ] || return 0
	read -r enabled active <"units/$1"
	case $enabled in
	enabled) systemctl -q enable "$1" ;;
	disabled) systemctl -q disable "$1" 2>/dev/null ;;
	esac
	if [ "$active" = active ]; then systemctl -q start "$1"; fi
	rm -f "units/$1" "` + pendingFolder + `/$1"
}
restore_sysctl() {
	[ -e "sysctls/$1" ] || return 0
	sysctl -q -w "$1=$(cat "sysctls/$1")"
	rm -f "sysctls/$1"
}
`)
	units := slices.DeleteFunc(sortedUnique(gone.units), func(u string) bool { return u == sshUnit })
	for _, unit := range units {
		fmt.Fprintf(&b, "stop_unit %s\n", remote.Quote(unit))
	}
	for _, path := range sortedUnique(gone.files) {
		if path == hostsFile {
			b.WriteString("(\n" + remote.UploadScript(path, []byte(withHostsBlock(etcHosts, "")), 0o644) + ")\n")
			continue
		}
		fmt.Fprintf(&b, "restore_file %s\n", remote.Quote(path))
		if rest, ok := strings.CutPrefix(path, registryFolder+"/"); ok {
			folder, _, _ := strings.Cut(rest, "/")
			fmt.Fprintf(&b, "rmdir %s %s 2>/dev/null\n", remote.Quote(registryFolder+"/"+folder), registryFolder)
		}
	}
	for _, key := range sortedUnique(gone.sysctls) {
		fmt.Fprintf(&b, "restore_sysctl %s\n", remote.Quote(key))
	}
	for _, unit := range units {
		fmt.Fprintf(&b, "restore_unit %s\n", remote.Quote(unit))
	}
	b.WriteString("exit 0\n")
	return b.String()
}
