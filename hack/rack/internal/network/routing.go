// SPDX-License-Identifier: Apache-2.0

package network

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"spine.nhs.uk/controlplane/hack/rack/internal/spec"
)

// Route lets packets pass between the sites of the rack, and nothing else in or out of it: no
// host reaches another rack or the world outside, even if the outer machine forwards packets.
func Route(ctx context.Context, r spec.Rack) error {
	if len(r.Sites) > 1 {
		// Per link, and so gone with it: the outer machine's own setting stays as it is.
		for _, s := range r.Sites {
			file := filepath.Join("/proc/sys/net/ipv4/conf", s.Bridge, "forwarding")
			if err := os.WriteFile(file, []byte("1"), 0o644); err != nil {
				return fmt.Errorf("site %s: let packets pass to other sites: %w", s.Name, err)
			}
		}
	}
	return nft(ctx, fence(r))
}

// fence is the nftables script that keeps the rack's traffic on the rack's bridges.
func fence(r spec.Rack) string {
	var bridges, subnets []string
	for _, s := range r.Sites {
		bridges = append(bridges, fmt.Sprintf("%q", s.Bridge))
		subnets = append(subnets, s.Subnet)
	}
	return removeTable("inet", r) + fmt.Sprintf(`table inet %[1]s {
  chain forward {
    type filter hook forward priority -10
    iifname { %[2]s } oifname != { %[2]s } drop
    oifname { %[2]s } iifname != { %[2]s } drop
  }
  chain input {
    type filter hook input priority -10
    iifname { %[2]s } ip daddr != { %[3]s } drop
  }
}
`, r.Table(), strings.Join(bridges, ", "), strings.Join(subnets, ", "))
}

// RemoveRules deletes all packet filters of the named rack; there may be none.
func RemoveRules(ctx context.Context, r spec.Rack) error {
	return nft(ctx, removeTable("inet", r)+removeTable("bridge", r))
}

// removeTable is a script that succeeds whether or not the table is there: it adds before it
// deletes, and a script is one transaction.
func removeTable(family string, r spec.Rack) string {
	return fmt.Sprintf("table %[1]s %[2]s {}\ndelete table %[1]s %[2]s\n", family, r.Table())
}
