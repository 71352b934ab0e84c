// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"spine.nhs.uk/controlplane/hack/rack/internal/cgroup"
	"spine.nhs.uk/controlplane/hack/rack/internal/network"
	"spine.nhs.uk/controlplane/hack/rack/internal/outer"
	"spine.nhs.uk/controlplane/hack/rack/internal/paths"
	"spine.nhs.uk/controlplane/hack/rack/internal/proc"
)

// downLimit is how long ending processes and removing what they held may take in all.
const downLimit = 2 * time.Minute

// Down takes the rack off the machine: processes, cgroups, mounts, links, packet filters,
// kernel settings, and its folder. What to remove is read from the system, by names that are
// made from the rack's name, so that it works after any crash and without any record.
// keep leaves the folder, with the hosts' disks, for the next Up.
func (r *Rack) Down(ctx context.Context, keep bool, p *Progress) error {
	if os.Geteuid() != 0 {
		return errors.New("not root: taking a rack down needs root; run it with sudo")
	}
	ctx, cancel := context.WithTimeout(ctx, downLimit)
	defer cancel()
	lock, err := proc.Acquire(ctx, r.lockFile(), func() {
		p.step("lock", "waiting for another command on rack %s", r.Def.Name)
	})
	if err != nil {
		return err
	}
	defer func() {
		lock.Remove()
		// Gone with the last rack; as long as another uses it, it is not empty.
		_ = os.Remove(paths.Run)
		_ = os.Remove(filepath.Dir(paths.Run))
	}()
	if err := r.refuseForeign(); err != nil {
		return err
	}
	machines, err := r.endProcesses(ctx)
	if err != nil {
		return err
	}
	p.step("machines", "off (%d)", machines)
	// From here on nothing of the rack runs: go on past errors, and report them all.
	errs := []error{
		unmountBelow(string(r.Folder)),
		network.RemoveRules(ctx, r.Def),
		network.RemoveRack(r.Def.Name),
		outer.System().Restore(ctx, network.Bridges),
	}
	p.step("network", "links, addresses and partitions removed")
	if !keep {
		errs = append(errs, os.RemoveAll(string(r.Folder)))
		p.step("disks", "%s removed", r.Folder)
	}
	return errors.Join(errs...)
}

// refuseForeign keeps a rack of the same name under another SPINE_HOME from being taken down by mistake.
func (r *Rack) refuseForeign() error {
	bridges, err := network.Bridges()
	if err != nil {
		return err
	}
	for _, b := range bridges {
		if b.Rack == r.Def.Name && b.Home != r.Home {
			return fmt.Errorf("rack %s runs from SPINE_HOME=%s, not from %s: set it to take that one down", r.Def.Name, b.Home, r.Home)
		}
	}
	return nil
}

// endProcesses kills everything in the rack's cgroups and removes them. The service group
// comes first: it holds the launchers, which would take a machine up again. It returns how
// many machines it found.
func (r *Rack) endProcesses(ctx context.Context) (int, error) {
	groups := r.Cgroups.List(r.Def.CgroupPrefix())
	slices.SortStableFunc(groups, func(a, b cgroup.Group) int {
		switch service := r.Def.ServiceCgroup(); {
		case a.Name == service:
			return -1
		case b.Name == service:
			return 1
		}
		return 0
	})
	machines := 0
	for _, g := range groups {
		if err := g.Kill(ctx); err != nil {
			return 0, err
		}
		if err := g.Remove(ctx); err != nil {
			return 0, err
		}
		if g.Name != r.Def.ServiceCgroup() {
			machines++
		}
	}
	return machines, nil
}

// unmountBelow takes off whatever is mounted in a folder that is about to be deleted, deepest first.
func unmountBelow(dir string) error {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	defer f.Close()
	var points []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) > 4 {
			// mountinfo writes blanks in paths as octal numbers.
			point := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(fields[4])
			if strings.HasPrefix(point, dir+"/") {
				points = append(points, point)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	slices.Reverse(points)
	var errs []error
	for _, p := range points {
		if err := syscall.Unmount(p, syscall.MNT_DETACH); err != nil {
			errs = append(errs, fmt.Errorf("unmount %s: %w", p, err))
		}
	}
	return errors.Join(errs...)
}
