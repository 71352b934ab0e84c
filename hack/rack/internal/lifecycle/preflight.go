// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"spine.nhs.uk/controlplane/hack/rack/internal/machine"
	"spine.nhs.uk/controlplane/hack/rack/internal/network"
	"spine.nhs.uk/controlplane/hack/rack/internal/outer"
	"spine.nhs.uk/controlplane/hack/rack/internal/paths"
	"spine.nhs.uk/controlplane/hack/rack/internal/spec"
)

// RefusedError lists everything that keeps a rack from coming up. Nothing was done.
type RefusedError struct {
	Rack     string
	Problems []error
}

func (e *RefusedError) Error() string {
	lines := []string{fmt.Sprintf("rack %s cannot come up, and nothing was done:", e.Rack)}
	for _, p := range e.Problems {
		lines = append(lines, "  - "+p.Error())
	}
	return strings.Join(lines, "\n")
}

// preflight checks all that can be known before anything is done. rootfs is the root file
// system for new hosts, empty for the newest one built; the one to use is returned.
func (r *Rack) preflight(rootfs string) (string, error) {
	facts, err := outer.Look(r.Home)
	if err != nil {
		return "", err
	}
	needs := outer.Needs{Home: r.Home}
	if !r.Exists {
		needs.DiskMiB = outer.DiskNeededMiB
	}
	install := false
	for _, m := range r.Machines() {
		if m.Host.Starts() && m.State() == machine.Off {
			needs.MemoryMiB += m.Host.MemoryMiB
		}
		if _, err := os.Stat(r.Folder.Host(m.Host.Name).Installed()); err != nil {
			install = true
		}
	}
	problems := facts.Problems(needs)
	if err := r.Cgroups.Check(); err != nil {
		problems = append(problems, err)
	}
	if install {
		if rootfs, err = chooseRootfs(rootfs); err != nil {
			problems = append(problems, err)
		}
	}
	conflicts, err := network.Conflicts(r.Def, r.Home)
	if err != nil {
		return "", err
	}
	for _, c := range conflicts {
		problems = append(problems, c)
	}
	if len(problems) > 0 {
		return "", &RefusedError{Rack: r.Def.Name, Problems: problems}
	}
	return rootfs, nil
}

func chooseRootfs(dir string) (string, error) {
	if dir == "" {
		return paths.NewestRootfs()
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if _, err := os.Lstat(filepath.Join(dir, "sbin", "init")); err != nil {
		return "", fmt.Errorf("--rootfs %s holds no system (no /sbin/init): %w", dir, err)
	}
	return dir, nil
}

// adopt takes over the definition that the rack is to have. Hosts may be added and limits
// changed on a rack that exists; what its hosts are built on may not.
func (r *Rack) adopt(def spec.Rack) error {
	if !r.Exists {
		r.Def = def
		return nil
	}
	var problems []error
	for _, s := range r.Def.Sites {
		for _, h := range s.Hosts {
			newHost, newSite, ok := def.Host(h.Name)
			switch {
			case !ok:
				problems = append(problems, fmt.Errorf("host %s is gone from the definition", h.Name))
			case newHost.Address != h.Address || newHost.BMC != h.BMC || newHost.Rack != h.Rack:
				problems = append(problems, fmt.Errorf("host %s has another address, BMC or rack", h.Name))
			case newSite.Name != s.Name || newSite.Subnet != s.Subnet || newSite.Bridge != s.Bridge:
				problems = append(problems, fmt.Errorf("host %s stands in another site, subnet or bridge", h.Name))
			}
		}
	}
	if len(problems) > 0 {
		problems = append(problems, errors.New("`rack down` first, then bring it up with the new definition"))
		return &RefusedError{Rack: def.Name, Problems: problems}
	}
	r.Def = def
	return nil
}
