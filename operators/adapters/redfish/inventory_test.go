// SPDX-License-Identifier: Apache-2.0

package redfish

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const pinned = "certificateSHA256: 9F:86:d0:81:88:4c:7d:65:9a:2f:ea:a0:c5:5a:d0:15:a3:bf:4f:1b:2b:0b:82:2c:d1:5d:6c:15:b0:f0:0a:08"

func host(name, address, more string) string {
	return "- {name: " + name + ", address: '" + address + "', user: admin, password: Hidden1, " + more + "}\n"
}

func TestParseInventory(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string // parts of the error; none means that it is good
	}{
		"pinned":    {"hosts:\n" + host("a", "10.0.0.1", pinned), nil},
		"with port": {"hosts:\n" + host("a", "10.0.0.1:8443", "authentication: Session, "+pinned), nil},
		"empty":     {"hosts: []\n", nil},
		"all bad at once": {
			"authority: none\nhosts:\n" + host("a", "bmc-a", "authentication: None, "+pinned) + host("a", "10.0.0.1", "certificateSHA256: beef") +
				host("c", "10.0.0.1:443", pinned) + "- {address: '10.0.0.3:0', user: x}\n",
			[]string{"authority: must be", "hosts[0] (a).address: must be an IP address", "hosts[0] (a).authentication: must be Basic or Session",
				"hosts[1] (a).name: is there twice", "hosts[1] (a).certificateSHA256: must be the 32 bytes", "hosts[2] (c).address: is host a's too",
				"hosts[3].name: must be", "hosts[3].address: its port", "hosts[3]: user and password"},
		},
		"nothing to believe": {"hosts:\n" + host("a", "10.0.0.1", ""), []string{"give authority, or this host's certificateSHA256"}},
		"unknown key":        {"hosts:\n" + host("a", "10.0.0.1", "pasword: Hidden1"), []string{"no other key"}},
		"a number":           {"hosts:\n- {password: 12345}\n", []string{"text under name"}},
		"twice":              {"hosts: []\nhosts: []\n", []string{"each once"}},
		"not YAML":           {"Hidden1: [", []string{"must be YAML"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseInventory([]byte(c.text))
			if (err != nil) != (len(c.want) > 0) {
				t.Fatalf("got %v", err)
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q lacks %q", err, part)
				}
			}
			if err != nil && strings.Contains(err.Error(), "Hidden1") {
				t.Errorf("a password is in the error: %v", err)
			}
		})
	}
}

func TestTooLarge(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, InventoryFile), make([]byte, maxInventory+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := read(dir); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("got %v", err)
	}
}

func FuzzParseInventory(f *testing.F) {
	f.Add([]byte("hosts:\n" + host("a", "10.0.0.1", pinned)))
	f.Add([]byte("authority: x\nhosts: [{}]"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		inventory, err := ParseInventory(raw)
		if err != nil {
			return
		}
		for _, c := range inventory.Hosts {
			if c.Name == "" || c.Password == "" || !strings.Contains(c.Address, ":") || inventory.find(c.Name).Address != c.Address {
				t.Errorf("accepted %q", raw)
			}
		}
	})
}
