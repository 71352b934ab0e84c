// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"strings"
	"testing"
)

const (
	keyA = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBIXYUUL4kCCqnHjM1zn0SDwZYNBGTuFxXSlQw14BIxf"
	keyB = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKLdbyYg5PVBg5K9gSmkWBCyGQXVlTFNSvJkIQYOOJyq"
	rsaA = "ssh-rsa AAAAB3NzaC1yc2E="
)

func TestPinHostKeys(t *testing.T) {
	cases := map[string]struct {
		port  int
		known string
		want  map[string]string // by host; "" is an error
	}{
		"plain":          {22, "10.0.0.1 " + keyA + "\n10.0.0.2 " + keyB + " comment\n", map[string]string{"a": keyA, "b": keyB}},
		"several names":  {22, "a.example,10.0.0.1 " + keyA + "\n[10.0.0.2]:22 " + keyB, map[string]string{"a": keyA, "b": keyB}},
		"best type wins": {22, "10.0.0.1 " + rsaA + "\n10.0.0.1 " + keyA + "\n10.0.0.2 " + keyB + "\n10.0.0.2 " + rsaA, map[string]string{"a": keyA, "b": keyB}},
		"other port":     {2222, "10.0.0.1 " + keyA + "\n[10.0.0.2]:2222 " + keyB, map[string]string{"a": "", "b": keyB}},
		"marked":         {22, "@revoked 10.0.0.1 " + keyA + "\n# 10.0.0.2 " + keyB, map[string]string{"a": "", "b": ""}},
		"broken key":     {22, "10.0.0.1 ssh-ed25519 AAAA\n10.0.0.2 " + keyB, map[string]string{"a": "", "b": keyB}},
		"empty":          {22, "", map[string]string{"a": "", "b": ""}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			env := &Environment{
				SSH:   SSH{Port: c.port, KnownHostsFile: "~/known"},
				Hosts: []Host{{Name: "a", Address: "10.0.0.1"}, {Name: "b", Address: "10.0.0.2"}},
			}
			errs := env.PinHostKeys(c.known)
			missing := 0
			for _, h := range env.Hosts {
				if h.HostKey != c.want[h.Name] {
					t.Errorf("host %s has %q, want %q", h.Name, h.HostKey, c.want[h.Name])
				}
				if c.want[h.Name] == "" {
					missing++
				}
			}
			if len(errs) != missing {
				t.Errorf("%d errors, want %d: %v", len(errs), missing, errs)
			}
		})
	}
}

func TestPinnedKeyIsKept(t *testing.T) {
	env := &Environment{SSH: SSH{Port: 22}, Hosts: []Host{{Name: "a", Address: "10.0.0.1", HostKey: keyA}}}
	if errs := env.PinHostKeys("10.0.0.1 " + keyB); len(errs) > 0 || env.Hosts[0].HostKey != keyA {
		t.Errorf("got %q, %v", env.Hosts[0].HostKey, errs)
	}
}

func FuzzKnownHosts(f *testing.F) {
	f.Add("10.0.0.1 " + keyA + "\n")
	f.Add("[10.0.0.1]:22,b " + keyB + " comment")
	f.Fuzz(func(t *testing.T, text string) {
		env := &Environment{SSH: SSH{Port: 22}, Hosts: []Host{{Name: "a", Address: "10.0.0.1"}}}
		if errs := env.PinHostKeys(text); len(errs) > 0 {
			return
		}
		if key, err := CheckHostKey(env.Hosts[0].HostKey); err != nil || strings.ContainsAny(key, "\n,") {
			t.Fatalf("pinned %q: %v", key, err)
		}
	})
}
