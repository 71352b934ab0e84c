// SPDX-License-Identifier: Apache-2.0

package site

import (
	"encoding/base64"
	"strings"
	"testing"

	"spine.nhs.uk/controlplane/environments"
)

// TestInventory: the manager gets the BMCs and their password, and nobody else reads it.
func TestInventory(t *testing.T) {
	rack(t)
	e := &engine{}
	if err := run(t, e, local(t, nil)); err != nil {
		t.Fatal(err)
	}
	secret, ok := e.objects()["v1/Secret/spine-system/hosts"]
	if !ok {
		t.Fatal("there is no inventory")
	}
	raw, err := base64.StdEncoding.DecodeString(secret.ObjectValue()["data"].ObjectValue()["inventory.yaml"].StringValue())
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"address: 10.90.0.113", "user: admin", "password: Hidden-BMC-1", "CERTIFICATE"} {
		if !strings.Contains(string(raw), part) {
			t.Errorf("the inventory lacks %q", part)
		}
	}
	for key, o := range e.objects() {
		if key != "v1/Secret/spine-system/hosts" && strings.Contains(o.String(), "Hidden-BMC-1") {
			t.Errorf("%s has the password", key)
		}
	}
	e = &engine{}
	if err := run(t, e, local(t, func(env map[string]any) { delete(env, "management") })); err != nil {
		t.Fatal(err)
	}
	if _, ok := e.objects()["v1/Secret/spine-system/hosts"]; ok {
		t.Error("an inventory of BMCs that nobody may use")
	}
}

func TestBMCPasswords(t *testing.T) {
	rack(t)
	const file = "~/.local/share/spine/racks/local/bmc-password"
	hosts := []environments.Host{{Name: "a"}, {Name: "b"}}
	for name, c := range map[string]struct {
		file, secret string
		a, want      string // the password of host a; the error, empty for none
	}{
		"file":       {file, "", "Hidden-BMC-1", ""},
		"secret":     {"", `{"a":"Hidden-A","b":"Hidden-B"}`, "Hidden-A", ""},
		"both":       {file, `{"a":"Hidden-A"}`, "", "spine:bmcPasswords: Forbidden: management.passwordFile is given too"},
		"neither":    {"", "", "", "spine:bmcPasswords: Required value: the passwords"},
		"no file":    {"~/gone", "", "", `management.passwordFile: Invalid value: "~/gone": cannot be read`},
		"not JSON":   {"", "Hidden-A", "", `spine:bmcPasswords: Invalid value: "(secret)": must be JSON`},
		"a number":   {"", `{"a":1}`, "", "must be JSON"},
		"one lacks":  {"", `{"a":"Hidden-A"}`, "", "spine:bmcPasswords[b]: Required value"},
		"one more":   {"", `{"a":"Hidden-A","b":"Hidden-B","c":"Hidden-C"}`, "", "spine:bmcPasswords[c]: Forbidden"},
		"odd letter": {"", `{"a":"Hidden-A\n","b":"Hidden-B"}`, "", "spine:bmcPasswords[a]: Invalid value"},
	} {
		t.Run(name, func(t *testing.T) {
			password, errs := bmcPasswords(&environments.Management{PasswordFile: c.file}, hosts, c.secret)
			text := errs.ToAggregate()
			if (text != nil) != (c.want != "") || text != nil && (!strings.Contains(text.Error(), c.want) || strings.Contains(text.Error(), "Hidden-")) {
				t.Fatalf("got %v", text)
			}
			if c.want == "" && password("a") != c.a {
				t.Error("host a has another password")
			}
		})
	}
}
