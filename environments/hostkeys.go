// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// keyTypes are the kinds of SSH host keys that may be pinned, best first.
var keyTypes = []string{"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"}

// CheckHostKey returns a public key as "TYPE BASE64", without a comment, or an
// error that says what is wrong with it.
func CheckHostKey(s string) (string, error) {
	parts := strings.Fields(s)
	if len(parts) < 2 || !slices.Contains(keyTypes, parts[0]) {
		return "", errors.New("must be a public key such as \"ssh-ed25519 AAAA...\"")
	}
	blob, err := base64.StdEncoding.DecodeString(parts[1])
	if err != nil {
		return "", errors.New("the part after " + parts[0] + " is not base64: the key was cut or changed")
	}
	if !isKey(parts[0], blob) {
		return "", errors.New("the part after " + parts[0] + " is not a whole key of that type: it was cut or changed")
	}
	return parts[0] + " " + parts[1], nil
}

// isKey says whether blob is a sequence of strings, each after its length, of
// which the first is the key's type (RFC 4253, 6.6) and something follows.
func isKey(keyType string, blob []byte) bool {
	var fields []string
	for len(blob) > 0 {
		if len(blob) < 4 || uint64(binary.BigEndian.Uint32(blob)) > uint64(len(blob)-4) {
			return false
		}
		n := binary.BigEndian.Uint32(blob)
		fields = append(fields, string(blob[4:4+n]))
		blob = blob[4+n:]
	}
	return len(fields) > 1 && fields[0] == keyType
}

// PinHostKeys gives every host without a hostKey the one that the text of the
// known-hosts file has for it. Hosts that it does not know are errors.
func (e *Environment) PinHostKeys(knownHosts string) field.ErrorList {
	known := parseKnownHosts(knownHosts)
	var errs field.ErrorList
	for i := range e.Hosts {
		h := &e.Hosts[i]
		if h.HostKey != "" {
			continue
		}
		p := field.NewPath("hosts").Index(i).Child("hostKey")
		line, ok := known[lookup(h.Address, e.SSH.Port)]
		if !ok {
			errs = append(errs, field.Required(p, fmt.Sprintf("%s has no key for host %s (%s): add its line, or give hostKey here",
				e.SSH.KnownHostsFile, h.Name, h.Address)))
			continue
		}
		key, err := CheckHostKey(line)
		if err != nil {
			errs = append(errs, field.Invalid(p, line, fmt.Sprintf("in %s for %s: %v", e.SSH.KnownHostsFile, h.Address, err)))
			continue
		}
		h.HostKey = key
	}
	return errs
}

// lookup is how a known-hosts file names an address.
func lookup(address string, port int) string {
	if port == 22 {
		return address
	}
	return "[" + address + "]:" + strconv.Itoa(port)
}

// parseKnownHosts maps addresses to "TYPE BASE64"; for an address with several
// keys, to that of the best type. Hashed names, patterns and marked lines
// (@revoked, @cert-authority) cannot pin one key and are left out.
func parseKnownHosts(text string) map[string]string {
	best := map[string]string{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 3 || strings.HasPrefix(f[0], "#") || strings.HasPrefix(f[0], "@") {
			continue
		}
		rank := slices.Index(keyTypes, f[1])
		if rank < 0 {
			continue
		}
		for name := range strings.SplitSeq(f[0], ",") {
			if host, port, err := net.SplitHostPort(name); err == nil && port == "22" {
				name = host
			}
			old, ok := best[name]
			if !ok || rank < slices.Index(keyTypes, strings.Fields(old)[0]) {
				best[name] = f[1] + " " + f[2]
			}
		}
	}
	return best
}
