// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"encoding/hex"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Management says how the hosts' BMCs are reached, so that a host that has failed
// is switched off before anything that it held is released.
type Management struct {
	// user of an account on every BMC that may reset its host, 1 to 64 characters.
	// Default admin.
	User string `json:"user"`
	// passwordFile holds the password of that account on every BMC; "~/" is the home
	// of whoever runs Pulumi. Default: the secret spine:bmcPasswords, one for each
	// host.
	PasswordFile string `json:"passwordFile"`
	// caFile is the PEM file of the authorities of the BMCs' certificates; "~/" is
	// the home of whoever runs Pulumi. It may be left out when every BMC has a
	// certificateSHA256.
	CAFile string `json:"caFile"`
	// authentication is Basic (every request carries the password) or Session (a
	// login for each question). Default Basic.
	Authentication Authentication `json:"authentication"`
}

// Authentication is a way to log in to a BMC.
type Authentication string

// Ways to log in to a BMC.
const (
	AuthenticationBasic   Authentication = "Basic"
	AuthenticationSession Authentication = "Session"
)

func (m *Management) setDefaults() {
	if m == nil {
		return
	}
	text(&m.User, "admin")
	if m.Authentication == "" {
		m.Authentication = AuthenticationBasic
	}
}

// validateManagement checks how BMCs are reached, and that they can be believed.
func (e *Environment) validateManagement(p *field.Path) field.ErrorList {
	var errs field.ErrorList
	m := e.Management
	for i, h := range e.Hosts {
		if h.BMC == nil {
			continue
		}
		at := field.NewPath("hosts").Index(i).Child("bmc", "certificateSHA256")
		sum, err := hex.DecodeString(strings.ReplaceAll(h.BMC.CertificateSHA256, ":", ""))
		switch {
		case h.BMC.CertificateSHA256 == "" && m != nil && m.CAFile == "":
			errs = append(errs, field.Required(at, "give it, or management.caFile: an unknown certificate is not believed"))
		case h.BMC.CertificateSHA256 != "" && (err != nil || len(sum) != 32):
			errs = append(errs, field.Invalid(at, h.BMC.CertificateSHA256, "must be the 32 bytes of a SHA-256 sum in hexadecimal"))
		}
	}
	if m == nil {
		return errs
	}
	if odd := strings.IndexFunc(m.User, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' }); len(m.User) > 64 || odd >= 0 {
		errs = append(errs, field.Invalid(p.Child("user"), m.User, "must be 1 to 64 printable characters without spaces and colons"))
	}
	errs = append(errs, localFile(p.Child("passwordFile"), m.PasswordFile)...)
	errs = append(errs, localFile(p.Child("caFile"), m.CAFile)...)
	if m.Authentication != AuthenticationBasic && m.Authentication != AuthenticationSession {
		errs = append(errs, field.NotSupported(p.Child("authentication"), m.Authentication, []Authentication{AuthenticationBasic, AuthenticationSession}))
	}
	return errs
}

// Managed are the hosts whose BMC the site's manager is to use.
func (e *Environment) Managed() []Host {
	var managed []Host
	for _, h := range e.Hosts {
		if e.Management != nil && h.BMC != nil {
			managed = append(managed, h)
		}
	}
	return managed
}
