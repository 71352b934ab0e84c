// SPDX-License-Identifier: Apache-2.0

package network

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"spine.nhs.uk/controlplane/hack/rack/internal/spec"
)

// markBase keeps the packet marks of a rack's hosts apart from other users of marks.
const markBase = 0x5b000000

// Cut is one partition: nothing passes between the hosts of A and those of B.
type Cut struct {
	// A and B are names of hosts, physical racks or sites.
	A string `json:"a"`
	B string `json:"b"`
}

func (c Cut) String() string { return c.A + " | " + c.B }

// Members lists the hosts that a host, physical rack or site name stands for.
func Members(r spec.Rack, name string) []string {
	var out []string
	for _, s := range r.Sites {
		for _, h := range s.Hosts {
			if h.Name == name || h.Rack == name || s.Name == name {
				out = append(out, h.Name)
			}
		}
	}
	return out
}

// pairs lists the pairs of different hosts that a cut separates, or says why there are none.
func (c Cut) pairs(r spec.Rack) ([][2]string, error) {
	a, b := Members(r, c.A), Members(r, c.B)
	for name, hosts := range map[string][]string{c.A: a, c.B: b} {
		if len(hosts) == 0 {
			return nil, fmt.Errorf("%q is no host, rack or site of rack %s (there are %s)", name, r.Name, strings.Join(names(r), ", "))
		}
	}
	var out [][2]string
	for _, x := range a {
		for _, y := range b {
			if x == y {
				return nil, fmt.Errorf("host %s is in both %s and %s: a host cannot be cut off from itself", x, c.A, c.B)
			}
			out = append(out, [2]string{x, y})
		}
	}
	return out, nil
}

func names(r spec.Rack) []string {
	var out []string
	for _, s := range r.Sites {
		out = append(out, s.Name)
		for _, h := range s.Hosts {
			out = append(out, h.Name, h.Rack)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Ruleset is the nftables script that puts exactly these cuts in force.
//
// Frames within a site are dropped as they pass from one host's port to the other's. Packets
// between sites leave the bridge to be routed; a mark set at the first port tells at the last
// one where they came from, whatever addresses (virtual ones, pods') they carry. Traffic to
// gateways, registries and BMCs ends on the bridge itself and is never touched.
func Ruleset(r spec.Rack, cuts []Cut) (string, error) {
	mark := map[string]int{}
	for i, h := range r.Hosts() {
		mark[h.Name] = markBase + i + 1
	}
	var from, within, across strings.Builder
	marked := map[string]bool{}
	for _, c := range cuts {
		pairs, err := c.pairs(r)
		if err != nil {
			return "", err
		}
		for _, p := range pairs {
			for _, d := range [][2]string{p, {p[1], p[0]}} {
				in, out := r.Link(d[0]), r.Link(d[1])
				if !marked[d[0]] {
					marked[d[0]] = true
					fmt.Fprintf(&from, "    iifname %q meta mark set %#x\n", in, mark[d[0]])
				}
				fmt.Fprintf(&within, "    iifname %q oifname %q drop comment %q\n", in, out, c)
				fmt.Fprintf(&across, "    meta mark %#x oifname %q drop\n", mark[d[0]], out)
			}
		}
	}
	return removeTable("bridge", r) + fmt.Sprintf(`table bridge %[1]s {
  chain from {
    type filter hook prerouting priority -300
%[2]s  }
  chain within {
    type filter hook forward priority -300
%[3]s  }
  chain across {
    type filter hook output priority -300
%[4]s  }
}
`, r.Table(), from.String(), within.String(), across.String()), nil
}

// Apply puts exactly these cuts in force.
func Apply(ctx context.Context, r spec.Rack, cuts []Cut) error {
	script, err := Ruleset(r, cuts)
	if err != nil {
		return err
	}
	return nft(ctx, script)
}

// Heal removes all cuts of the named rack; there may be none.
func Heal(ctx context.Context, r spec.Rack) error {
	return nft(ctx, removeTable("bridge", r))
}

// Cuts reads the cuts in force from the kernel, in the order they were made.
func Cuts(ctx context.Context, r spec.Rack) ([]Cut, error) {
	out, err := exec.CommandContext(ctx, "nft", "-j", "list", "tables", "bridge").Output()
	if err != nil {
		return nil, fmt.Errorf("list nftables tables: %w", err)
	}
	if !bytes.Contains(out, []byte(`"`+r.Table()+`"`)) {
		return nil, nil
	}
	out, err = exec.CommandContext(ctx, "nft", "-j", "list", "table", "bridge", r.Table()).Output()
	if err != nil {
		return nil, fmt.Errorf("list nftables table %s: %w", r.Table(), err)
	}
	return parseCuts(out)
}

// parseCuts takes the cuts from the comments of a table in nft's JSON form.
func parseCuts(data []byte) ([]Cut, error) {
	var listing struct {
		Nftables []struct {
			Rule struct {
				Comment string `json:"comment"`
			} `json:"rule"`
		} `json:"nftables"`
	}
	if err := json.Unmarshal(data, &listing); err != nil {
		return nil, fmt.Errorf("nft listing: %w", err)
	}
	var cuts []Cut
	for _, e := range listing.Nftables {
		a, b, ok := strings.Cut(e.Rule.Comment, " | ")
		if c := (Cut{a, b}); ok && !slices.Contains(cuts, c) {
			cuts = append(cuts, c)
		}
	}
	return cuts, nil
}

func nft(ctx context.Context, script string) error {
	cmd := exec.CommandContext(ctx, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}
