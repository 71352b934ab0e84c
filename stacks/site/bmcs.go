// SPDX-License-Identifier: Apache-2.0

package site

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/platform/manager"
	shared "spine.nhs.uk/controlplane/stacks/platform"
)

// switchable are the hosts that the site's manager may switch; nil when the
// environment does not say how their BMCs are reached. passwords is the value of
// spine:bmcPasswords. No error has a password in it.
func switchable(env *environments.Environment, passwords string) (*manager.Hosts, field.ErrorList) {
	managed := env.Managed()
	if len(managed) == 0 {
		return nil, nil
	}
	m, p := env.Management, field.NewPath("management")
	var errs field.ErrorList
	made := &manager.Hosts{SSHPort: env.SSH.Port}
	if m.CAFile != "" {
		authority, err := readLocal(m.CAFile)
		if err != nil {
			errs = append(errs, shared.Unreadable(p.Child("caFile"), m.CAFile, err))
		}
		made.Authority = authority
	}
	password, problems := bmcPasswords(m, managed, passwords)
	errs = append(errs, problems...)
	for _, h := range env.Hosts {
		made.Addresses = append(made.Addresses, h.Address)
	}
	for _, h := range managed {
		made.Controllers = append(made.Controllers, manager.Controller{
			Name: h.Name, Address: h.BMC.Address, User: m.User, Password: password(h.Name),
			Authentication: string(m.Authentication), CertificateSHA256: h.BMC.CertificateSHA256,
		})
	}
	return made, errs
}

// bmcPasswords gives the password of each host's BMC: that of the file, which is the
// same for all, or that of the secret.
func bmcPasswords(m *environments.Management, managed []environments.Host, secret string) (func(string) string, field.ErrorList) {
	at := field.NewPath("spine:bmcPasswords")
	if m.PasswordFile != "" {
		text, err := readLocal(m.PasswordFile)
		path := field.NewPath("management", "passwordFile")
		password := strings.TrimSpace(text)
		var errs field.ErrorList
		switch {
		case err != nil:
			errs = append(errs, shared.Unreadable(path, m.PasswordFile, err))
		case secret != "":
			errs = append(errs, field.Forbidden(at, "management.passwordFile is given too: keep one of them"))
		default:
			errs = checkPassword(path, password)
		}
		return func(string) string { return password }, errs
	}
	none := func(string) string { return "" }
	if secret == "" {
		return none, field.ErrorList{field.Required(at, "the passwords of the hosts' BMCs: "+
			`"pulumi config set --secret spine:bmcPasswords < FILE" with {"HOST":"..."} in it, or management.passwordFile`)}
	}
	var given map[string]string
	// The decoder's own words may quote what it read.
	if json.Unmarshal([]byte(secret), &given) != nil {
		return none, field.ErrorList{field.Invalid(at, "(secret)", "must be JSON with a password, as text, under the name of each host")}
	}
	var errs field.ErrorList
	known := map[string]bool{}
	for _, h := range managed {
		known[h.Name] = true
		errs = append(errs, checkPassword(at.Key(h.Name), given[h.Name])...)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !known[name] {
			errs = append(errs, field.Forbidden(at.Key(name), "no host of that name has a BMC: remove it"))
		}
	}
	return func(name string) string { return given[name] }, errs
}

// mostPassword is the length of the longest password in bytes.
const mostPassword = 256

// checkPassword: Redfish and HTTP allow more than what is safe to write in every
// place where people put passwords.
func checkPassword(at *field.Path, password string) field.ErrorList {
	if password == "" {
		return field.ErrorList{field.Required(at, "the password of the BMC's account")}
	}
	odd := strings.IndexFunc(password, func(r rune) bool { return r < ' ' || r > '~' })
	if len(password) > mostPassword || odd >= 0 {
		return field.ErrorList{field.Invalid(at, "(secret)", fmt.Sprintf("must be at most %d printable characters", mostPassword))}
	}
	return nil
}
