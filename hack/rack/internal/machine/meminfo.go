// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"spine.nhs.uk/controlplane/hack/rack/internal/cgroup"
)

// meminfoPeriod is how old a host's view of its memory may get.
const meminfoPeriod = 2 * time.Second

// meminfo is the text of /proc/meminfo for a machine with this much memory, in bytes. The
// kernel shows every container the memory of the outer machine; a scheduler would then place
// more on a host than it can hold. All values have the same width, so that the text can be
// written over itself while others read it.
func meminfo(total int64, m cgroup.Memory) string {
	// What the kernel could give back at once counts as available (free(1)).
	working := max(m.Usage-m.InactiveFile, 0)
	rows := []struct {
		name  string
		bytes int64
	}{
		{"MemTotal", total},
		{"MemFree", max(total-m.Usage, 0)},
		{"MemAvailable", max(total-working, 0)},
		{"Buffers", 0},
		{"Cached", m.File},
		{"SwapCached", 0},
		{"Active", m.ActiveAnon + m.ActiveFile},
		{"Inactive", m.InactiveAnon + m.InactiveFile},
		{"Active(anon)", m.ActiveAnon},
		{"Inactive(anon)", m.InactiveAnon},
		{"Active(file)", m.ActiveFile},
		{"Inactive(file)", m.InactiveFile},
		{"Unevictable", m.Unevictable},
		{"SwapTotal", 0},
		{"SwapFree", 0},
		{"Dirty", m.Dirty},
		{"Writeback", m.Writeback},
		{"AnonPages", m.Anon},
		{"Mapped", m.Mapped},
		{"Shmem", m.Shmem},
	}
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "%-16s%12d kB\n", r.name+":", r.bytes>>10)
	}
	return b.String()
}

func (m Machine) memoryBytes() int64 { return int64(m.Host.MemoryMiB) << 20 }

// writeMeminfo brings the file that the host sees as /proc/meminfo up to date, in place.
func (m Machine) writeMeminfo(use cgroup.Memory) error {
	f, err := os.OpenFile(m.files().Meminfo(), os.O_CREATE|os.O_WRONLY, 0o444)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt([]byte(meminfo(m.memoryBytes(), use)), 0)
	return err
}

// keepMeminfo follows the host's memory use until ctx ends.
func (m Machine) keepMeminfo(ctx context.Context) {
	tick := time.NewTicker(meminfoPeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// Between two boots the host has no cgroup to read.
		if use, err := m.group().Memory(); err == nil {
			if err := m.writeMeminfo(use); err != nil {
				fmt.Fprintf(os.Stderr, "rack: meminfo of host %s: %v\n", m.Host.Name, err)
			}
		}
	}
}
