// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"errors"
	"strings"
	"testing"
)

const valid = `
name: dev
sites:
- name: north
  subnet: 10.1.0.0/24
  hosts:
  - {name: a, rack: r1, address: 10.1.0.11, bmc: 10.1.0.111}
  - {name: b, rack: r1, address: 10.1.0.12, bmc: 10.1.0.112, memoryMiB: 1024, autostart: false}
- name: south
  subnet: 10.2.0.0/24
  hosts:
  - {name: c, rack: r3, address: 10.2.0.11, bmc: 10.2.0.111}
`

func TestDecode(t *testing.T) {
	r, err := Decode([]byte(valid), "dev.yaml")
	if err != nil {
		t.Fatal(err)
	}
	a, site, ok := r.Host("a")
	if !ok || a.MemoryMiB != DefaultMemoryMiB || !a.Starts() || site.Name != "north" || site.Gateway().String() != "10.1.0.1" {
		t.Errorf("host a = %+v in site %+v", a, site)
	}
	if b, _, _ := r.Host("b"); b.Starts() || b.MemoryMiB != 1024 {
		t.Errorf("host b = %+v", b)
	}
	if got := []string{r.Sites[0].Bridge, r.Sites[1].Bridge}; got[0] != "sp-dev-north" || got[1] != "sp-dev-south" {
		t.Errorf("bridges = %v", got)
	}
	data, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Decode(data, "again"); err != nil || len(again.Hosts()) != 3 {
		t.Errorf("decoding what was encoded: %v\n%s", err, data)
	}
}

func TestDecodeRefuses(t *testing.T) {
	cases := map[string]struct {
		from, to string
		want     []string
	}{
		"unknown key":            {"name: dev", "name: dev\nnmae: x", []string{`unknown field "nmae"`}},
		"repeated key":           {"name: dev", "name: dev\nname: x", []string{`key "name" already set`}},
		"wrong type":             {"memoryMiB: 1024", "memoryMiB: lots", []string{"memoryMiB", "string"}},
		"no name":                {"name: dev", "name: ''", []string{"name: Required value"}},
		"upper case":             {"name: dev", "name: Dev", []string{`name: Invalid value: "Dev"`}},
		"long name":              {"name: dev", "name: " + strings.Repeat("x", 33), []string{"name: Too long"}},
		"host outside subnet":    {"10.1.0.11,", "10.9.0.11,", []string{`sites[0].hosts[0].address: Invalid value: "10.9.0.11": must be within the site's subnet 10.1.0.0/24`}},
		"address is gateway":     {"10.1.0.11,", "10.1.0.1,", []string{"sites[0].hosts[0].address", "gateway"}},
		"address is broadcast":   {"10.1.0.11,", "10.1.0.255,", []string{"network or broadcast"}},
		"address twice":          {"10.1.0.12,", "10.1.0.11,", []string{"sites[0].hosts[1].address", "already used by sites[0].hosts[0].address"}},
		"bmc is an address":      {"10.1.0.112", "10.1.0.11", []string{"sites[0].hosts[1].bmc", "already used"}},
		"IPv6":                   {"10.1.0.11,", "'fd00::1',", []string{"must be an IPv4 address"}},
		"subnet with host bits":  {"10.1.0.0/24", "10.1.0.1/24", []string{"must be the subnet's first address: 10.1.0.0/24"}},
		"subnet too small":       {"10.1.0.0/24", "10.1.0.0/30", []string{"must be /16 to /28"}},
		"overlapping subnets":    {"10.2.0.0/24", "10.1.0.0/16", []string{"sites[1].subnet", "overlaps with 10.1.0.0/24 of site north"}},
		"host name twice":        {"{name: c,", "{name: a,", []string{"sites[1].hosts[0].name", "already the name of a host"}},
		"host named as a rack":   {"{name: b,", "{name: r1,", []string{"sites[0].hosts[1].name", "already the name of a rack"}},
		"rack in two sites":      {"rack: r3", "rack: r1", []string{"sites[1].hosts[0].rack", "rack of site north"}},
		"site twice":             {"name: south", "name: north", []string{"sites[1].name", "already the name of a site"}},
		"too little memory":      {"memoryMiB: 1024", "memoryMiB: 100", []string{"sites[0].hosts[1].memoryMiB", "must be 512 to 1048576 MiB"}},
		"bridge twice":           {"subnet: 10.2.0.0/24", "subnet: 10.2.0.0/24\n  bridge: sp-dev-north", []string{"sites[1].bridge", "already the bridge of"}},
		"no address and no rack": {"rack: r3, address: 10.2.0.11,", "", []string{"sites[1].hosts[0].rack: Required value", "sites[1].hosts[0].address: Required value"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(valid, c.from, c.to, 1)
			if text == valid {
				t.Fatalf("%q is not in the definition", c.from)
			}
			_, err := Decode([]byte(text), "dev.yaml")
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range append(c.want, "dev.yaml") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

func TestDecodeReportsAllMistakes(t *testing.T) {
	text := strings.NewReplacer("10.1.0.11,", "10.9.0.11,", "memoryMiB: 1024", "memoryMiB: 1", "name: south", "name: SOUTH").Replace(valid)
	_, err := Decode([]byte(text), "dev.yaml")
	var invalid *InvalidError
	if !errors.As(err, &invalid) || len(invalid.Errs) != 3 {
		t.Fatalf("want three mistakes, got %v", err)
	}
}

func TestNoSites(t *testing.T) {
	for _, text := range []string{"name: x", "name: x\nsites: [{name: s, subnet: 10.0.0.0/24}]"} {
		if _, err := Decode([]byte(text), "x"); err == nil {
			t.Errorf("accepted %q", text)
		}
	}
}

func TestNames(t *testing.T) {
	short, long := Rack{Name: "local"}, Rack{Name: "a-rack-with-a-long-name"}
	cases := []struct{ got, want string }{
		{short.HostCgroup("a"), "spine-local.a"},
		{short.ServiceCgroup(), "spine-local.Service"},
		{short.Table(), "spine_local"},
		{short.Link("a"), "vb-local-a"},
		{defaultBridge("local", "local", 1), "sp-local"},
	}
	for _, c := range cases {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
	for _, link := range []string{long.Link("a"), long.Link("b"), defaultBridge(long.Name, "north", 2)} {
		if len(link) != maxLink {
			t.Errorf("%s has %d characters", link, len(link))
		}
	}
	if long.Link("a") == long.Link("b") {
		t.Error("two hosts share a link name")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(valid))
	f.Add([]byte("name: [}"))
	f.Add([]byte("sites: [{hosts: [{address: 10.0.0.256}]}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Decode(data, "fuzz")
		if err != nil {
			return
		}
		// What is accepted is safe to work with.
		for _, s := range r.Sites {
			_ = s.Gateway()
			for _, h := range s.Hosts {
				if len(r.Link(h.Name)) > maxLink {
					t.Errorf("link %s is too long", r.Link(h.Name))
				}
			}
		}
		again, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(again, "again"); err != nil {
			t.Errorf("accepted once but not twice: %v", err)
		}
	})
}
