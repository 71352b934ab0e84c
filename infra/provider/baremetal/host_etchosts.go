// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"maps"
	"slices"
	"strings"
)

const (
	hostsBegin = "# BEGIN spine: this block is written by the provider, change it in the environment's config"
	hostsEnd   = "# END spine"
)

// renderHostEntries returns our block of /etc/hosts, sorted by name.
func renderHostEntries(entries map[string]string) string {
	var b strings.Builder
	b.WriteString(hostsBegin + "\n")
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		b.WriteString(entries[name] + "\t" + name + "\n")
	}
	b.WriteString(hostsEnd + "\n")
	return b.String()
}

// splitHosts cuts content of /etc/hosts into what is not ours and our block.
// The block is empty when there is none. A block without its end reaches to the
// end of the file; of several blocks all are ours, so that a rewrite heals.
func splitHosts(content string) (others, block string) {
	var o, b strings.Builder
	inside := false
	for _, line := range strings.SplitAfter(content, "\n") {
		text := strings.TrimRight(line, "\r\n")
		if text == hostsBegin {
			inside = true
		}
		if inside {
			b.WriteString(line)
		} else {
			o.WriteString(line)
		}
		if text == hostsEnd {
			inside = false
		}
	}
	return o.String(), b.String()
}

// withHostsBlock returns content with our block replaced; an empty block
// removes it.
func withHostsBlock(content, block string) string {
	others, _ := splitHosts(content)
	if block == "" {
		return others
	}
	if others != "" && !strings.HasSuffix(others, "\n") {
		others += "\n"
	}
	return others + block
}
