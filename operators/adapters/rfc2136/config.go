// SPDX-License-Identifier: Apache-2.0

package rfc2136

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// Config says which zone is updated, and with which key. It is part of one file with what is
// updated, and that file is a secret.
type Config struct {
	// Server is the zone's primary name server, host:port.
	Server string `json:"server"`
	// Zone that may be updated: a fully qualified name.
	Zone string `json:"zone"`
	// Key signs every question and every answer.
	Key Key `json:"key"`
}

// Key is a secret that the name server knows by a name.
type Key struct {
	// Name of the key at the name server.
	Name string `json:"name"`
	// Algorithm is hmac-sha256, hmac-sha384 or hmac-sha512.
	Algorithm string `json:"algorithm"`
	// Secret in base64, of at least 32 bytes.
	Secret string `json:"secret"`
}

// minSecret in bytes: a key shorter than the hash is the weaker of the two (RFC 8945, section 8).
const minSecret = 32

// Validate returns all that is wrong.
func (c Config) Validate() error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	host, port, err := net.SplitHostPort(c.Server)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || host == "" || bad != nil || n == 0 {
		add("server: %q must be host:port, as in 192.0.2.1:53", c.Server)
	}
	for _, f := range []struct{ field, name string }{{"zone", c.Zone}, {"key.name", c.Key.Name}} {
		if _, ok := dns.IsDomainName(f.name); !ok || f.name == "." || !dns.IsFqdn(f.name) {
			add("%s: %q must be a fully qualified name that ends with a dot, as in spine.example.", f.field, f.name)
		}
	}
	if _, ok := algorithms[c.Key.Algorithm]; !ok {
		add("key.algorithm: %q must be hmac-sha256, hmac-sha384 or hmac-sha512", c.Key.Algorithm)
	}
	if secret, err := base64.StdEncoding.DecodeString(c.Key.Secret); err != nil || len(secret) < minSecret {
		add("key.secret: must be base64 of at least %d bytes", minSecret)
	}
	return errors.Join(errs...)
}

var algorithms = map[string]string{"hmac-sha256": dns.HmacSHA256, "hmac-sha384": dns.HmacSHA384, "hmac-sha512": dns.HmacSHA512}

// within says whether the name is in the zone.
func (c Config) within(name string) bool {
	return dns.IsFqdn(name) && dns.IsSubDomain(strings.ToLower(c.Zone), strings.ToLower(name))
}
