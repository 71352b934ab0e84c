// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"fmt"
	"strings"
)

const (
	keepalivedConfig   = "/etc/keepalived/keepalived.conf"
	keepalivedDefaults = "/etc/default/keepalived"
	keepalivedCheck    = "/etc/keepalived/check-address"
	// -P: VRRP only, no process for checking real servers.
	keepalivedDefaultsContent = managedNote + "DAEMON_ARGS=\"-P\"\n"

	maxPriority     = 100
	defaultPriority = 100
	// healthyWeight is added while checkURL answers. It exceeds every base
	// priority, so that a host with a live service always wins.
	healthyWeight = 120
	// advertSeconds: others take over after three missed adverts plus a skew
	// below one: 0.9 s to 1.2 s after the holder's power is cut.
	advertSeconds = "0.3"
	// marksFolder holds what keepalivedCheck has seen since the host was started.
	marksFolder = "/run/spine/address"
)

// keepalivedCheckContent is checked with the name of the address and the arguments of curl. It
// takes 10 ms of a processor, which is why it runs every other second only; the loss of a whole
// host is noticed by adverts.
const keepalivedCheckContent = `#!/bin/sh
` + managedNote + `# check-address NAME CURL-ARGUMENT...: 0 while what the address stands for lives here. It leaves
# NAME.served when it does, and beside that NAME.lost when it does not any more.
[ -d ` + marksFolder + ` ] || mkdir -p ` + marksFolder + `
mark=` + marksFolder + `/$1
shift
if /usr/bin/curl --silent --fail --output /dev/null --max-time 1 "$@"; then
	[ -e "$mark.served" ] || : >"$mark.served"
	[ ! -e "$mark.lost" ] || rm -f "$mark.lost"
	exit 0
fi
[ ! -e "$mark.served" ] || : >"$mark.lost"
exit 1
`

// renderKeepalived writes VRRP instances that prefer a host with a live service
// but always leave the address with somebody: while a control plane is being
// made, the API address must be up before any API server is. Once its service has
// lived on a host, an address of a majority's is given up there when it does not
// for a while: VRRP alone has each side of a network that is cut in two hold the
// address, and whoever reaches both sides would ask the one that cannot answer.
// When no host can answer, none has it.
//
// Preemption is left on, because without it a holder whose service died would
// keep the address. Flapping is avoided by equal priorities instead: a host that
// comes back has the same priority as the holder, and equal does not preempt.
//
// Adverts are multicast, so that adding a host changes no file on the others.
// VRRP version 3 has no authentication: whoever can send to the site's network
// segment can claim the address, as he could with ARP alone.
func renderKeepalived(host string, addresses []VirtualAddress) string {
	var b strings.Builder
	b.WriteString(managedNote)
	fmt.Fprintf(&b, `global_defs {
	router_id %s
	vrrp_version 3
	vrrp_garp_master_refresh 10
	vrrp_priority -10
	enable_script_security
	script_user root
}
`, host)
	for _, a := range addresses {
		fmt.Fprintf(&b, `
vrrp_script %[1]s {
	script "%[2]s"
	interval 2
	timeout 1
	fall 2
	rise 1
	init_fail
	weight %[3]d
}
%[9]s
vrrp_instance %[1]s {
	state BACKUP
	interface %[4]s
	virtual_router_id %[5]d
	priority %[6]d
	advert_int %[7]s
	virtual_ipaddress {
		%[8]s dev %[4]s
	}
	track_script {
		%[1]s%[10]s
	}
}
`, a.Name, checkCommand(a), healthyWeight, a.Interface, a.RouterID, a.priority(), advertSeconds, a.Address, a.lost(), a.tracked())
	}
	return b.String()
}

// lost is the script without a weight, whose failure takes the address away. Elections of
// etcd's leader are over within the time.
func (v VirtualAddress) lost() string {
	if !v.majority() {
		return ""
	}
	return fmt.Sprintf(`
vrrp_script %[1]s_kept {
	script "/usr/bin/test ! -e %[2]s/%[1]s.lost"
	interval 2
	timeout 1
	fall 6
	rise 1
}
`, v.Name, marksFolder)
}

func (v VirtualAddress) tracked() string {
	if !v.majority() {
		return ""
	}
	return "\n\t\t" + v.Name + "_kept"
}

func (v VirtualAddress) majority() bool { return v.Majority != nil && *v.Majority }

func (v VirtualAddress) priority() int {
	if v.Priority == nil {
		return defaultPriority
	}
	return *v.Priority
}

func checkCommand(v VirtualAddress) string {
	trust := "--insecure"
	if v.CheckCA != nil {
		trust = "--cacert " + *v.CheckCA
	}
	return fmt.Sprintf("%s %s %s %s", keepalivedCheck, v.Name, trust, v.CheckURL)
}
