// SPDX-License-Identifier: Apache-2.0

package network

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"
	"spine.nhs.uk/controlplane/hack/rack/internal/spec"
)

func pair(t *testing.T) spec.Rack {
	t.Helper()
	r, err := spec.Decode([]byte(`
name: pair
sites:
- name: north
  subnet: 10.1.0.0/24
  hosts:
  - {name: a, rack: r1, address: 10.1.0.11, bmc: 10.1.0.111}
  - {name: b, rack: r2, address: 10.1.0.12, bmc: 10.1.0.112}
- name: south
  subnet: 10.2.0.0/24
  hosts:
  - {name: c, rack: r3, address: 10.2.0.11, bmc: 10.2.0.111}
`), "pair.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAlias(t *testing.T) {
	b, ok := parseAlias("sp-x", alias("local-pair", "north", "/home/my user/.spine"))
	if want := (Bridge{Link: "sp-x", Rack: "local-pair", Site: "north", Home: "/home/my user/.spine"}); !ok || b != want {
		t.Errorf("got %+v", b)
	}
	for _, other := range []string{"", "uplink", "spine of the network", "spine site=x home=/"} {
		if b, ok := parseAlias("eth0", other); ok {
			t.Errorf("%q is taken for %+v", other, b)
		}
	}
}

func TestRuleset(t *testing.T) {
	got, err := Ruleset(pair(t), []Cut{{"a", "r2"}, {"a", "south"}})
	if err != nil {
		t.Fatal(err)
	}
	want := `table bridge spine_pair {}
delete table bridge spine_pair
table bridge spine_pair {
  chain from {
    type filter hook prerouting priority -300
    iifname "vb-pair-a" meta mark set 0x5b000001
    iifname "vb-pair-b" meta mark set 0x5b000002
    iifname "vb-pair-c" meta mark set 0x5b000003
  }
  chain within {
    type filter hook forward priority -300
    iifname "vb-pair-a" oifname "vb-pair-b" drop comment "a | r2"
    iifname "vb-pair-b" oifname "vb-pair-a" drop comment "a | r2"
    iifname "vb-pair-a" oifname "vb-pair-c" drop comment "a | south"
    iifname "vb-pair-c" oifname "vb-pair-a" drop comment "a | south"
  }
  chain across {
    type filter hook output priority -300
    meta mark 0x5b000001 oifname "vb-pair-b" drop
    meta mark 0x5b000002 oifname "vb-pair-a" drop
    meta mark 0x5b000001 oifname "vb-pair-c" drop
    meta mark 0x5b000003 oifname "vb-pair-a" drop
  }
}
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRulesetRefuses(t *testing.T) {
	for _, c := range []struct {
		cut  Cut
		want string
	}{
		{Cut{"a", "x"}, `"x" is no host, rack or site of rack pair (there are a, b, c, north, r1, r2, r3, south)`},
		{Cut{"a", "north"}, "host a is in both a and north"},
		{Cut{"b", "b"}, "host b is in both"},
	} {
		if _, err := Ruleset(pair(t), []Cut{c.cut}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.cut, err)
		}
	}
}

func TestParseCuts(t *testing.T) {
	listing := `{"nftables": [{"metainfo": {"version": "1.0.6"}}, {"table": {"family": "bridge", "name": "spine_pair"}},
{"rule": {"chain": "from", "expr": []}},
{"rule": {"chain": "within", "comment": "a | r2", "expr": []}},
{"rule": {"chain": "within", "comment": "a | r2", "expr": []}},
{"rule": {"chain": "within", "comment": "a | south", "expr": []}},
{"rule": {"chain": "within", "comment": "added by hand", "expr": []}}]}`
	got, err := parseCuts([]byte(listing))
	if err != nil || !slices.Equal(got, []Cut{{"a", "r2"}, {"a", "south"}}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := parseCuts([]byte("{")); err == nil {
		t.Error("accepted a damaged listing")
	}
}

func TestFence(t *testing.T) {
	got := fence(pair(t))
	for _, want := range []string{
		`iifname { "sp-pair-north", "sp-pair-south" } oifname != { "sp-pair-north", "sp-pair-south" } drop`,
		`ip daddr != { 10.1.0.0/24, 10.2.0.0/24 } drop`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestOverlaps(t *testing.T) {
	site := pair(t).Sites[0]
	cases := map[string]struct {
		prefix string
		want   bool
	}{
		"the same":        {"10.1.0.0/24", true},
		"a wider route":   {"10.0.0.0/8", true},
		"one address":     {"10.1.0.200/32", true},
		"the next subnet": {"10.1.1.0/24", false},
		"elsewhere":       {"192.168.0.0/16", false},
	}
	for name, c := range cases {
		taken := []used{{netip.MustParsePrefix(c.prefix), "eth0", "a route"}}
		errs := overlaps(site, taken, field.NewPath("sites").Index(0))
		if (len(errs) > 0) != c.want {
			t.Errorf("%s: %v", name, errs)
		}
	}
}

func TestToPrefix(t *testing.T) {
	got, ok := toPrefix([]byte{10, 1, 2, 3}, []byte{255, 255, 240, 0})
	if !ok || got.String() != "10.1.0.0/20" {
		t.Errorf("got %s", got)
	}
}

func TestHardwareAddr(t *testing.T) {
	a, b := hardwareAddr("a"), hardwareAddr("b")
	if a.String() == b.String() || a.String() != hardwareAddr("a").String() {
		t.Errorf("%s and %s", a, b)
	}
	// Locally administered, and not a group address.
	if a[0]&3 != 2 {
		t.Errorf("%s cannot be a link's address", a)
	}
}
