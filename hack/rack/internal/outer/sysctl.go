// SPDX-License-Identifier: Apache-2.0

// Package outer looks after the machine that racks run on: its kernel settings while racks run
// and afterwards, and whether it can run a rack at all.
package outer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"spine.nhs.uk/controlplane/hack/rack/internal/network"
	"spine.nhs.uk/controlplane/hack/rack/internal/paths"
	"spine.nhs.uk/controlplane/hack/rack/internal/proc"
)

const (
	bridgeNF  = "net/bridge/bridge-nf-call-iptables"
	instances = "fs/inotify/max_user_instances"
	// minInstances lets every host's systemd, containerd, kubelet and pods watch files: all
	// hosts are one user to the kernel, and its usual 128 run out with the second.
	minInstances = 1024
)

// guarded are the settings that come back when the last rack goes: those that the rack sets,
// and those that are not per network namespace, which kubelet in a host sets for the whole machine.
var guarded = []string{
	bridgeNF, instances,
	"fs/inotify/max_user_watches",
	"kernel/keys/root_maxbytes", "kernel/keys/root_maxkeys",
	"kernel/panic", "kernel/panic_on_oops",
	"vm/max_map_count", "vm/overcommit_memory", "vm/panic_on_oom",
}

// Settings keeps the outer machine's kernel settings. Root is the folder of kernel settings
// (/proc/sys), Run the folder where the former ones are kept.
type Settings struct{ Root, Run string }

// System is the settings of this machine.
func System() Settings { return Settings{Root: "/proc/sys", Run: paths.Run} }

// saved is the file with the settings as they were before the first rack.
type saved struct {
	Boot   string            `json:"boot"`
	Values map[string]string `json:"values"`
}

// Adapt remembers the settings, unless a running rack already has, and sets what racks need.
func (s Settings) Adapt(ctx context.Context) error {
	lock, err := proc.Acquire(ctx, s.lock(), nil)
	if err != nil {
		return err
	}
	defer lock.Release()
	if err := s.remember(); err != nil {
		return err
	}
	// Otherwise the outer machine's own firewall would filter frames between hosts.
	if err := s.set(bridgeNF, "0"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if now, err := s.get(instances); err == nil {
		if n, err := strconv.Atoi(now); err == nil && n < minInstances {
			if err := s.set(instances, strconv.Itoa(minInstances)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Restore brings the settings back if no rack is left on the machine.
func (s Settings) Restore(ctx context.Context, racks func() ([]network.Bridge, error)) error {
	lock, err := proc.Acquire(ctx, s.lock(), nil)
	if err != nil {
		return err
	}
	left, err := racks()
	if err != nil || len(left) > 0 {
		lock.Release()
		return err
	}
	defer lock.Remove()
	old, err := s.load()
	if err != nil {
		return err
	}
	var errs []error
	for _, key := range guarded {
		was, ok := old.Values[key]
		if now, err := s.get(key); !ok || err != nil || now == was {
			continue
		}
		errs = append(errs, s.set(key, was))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return os.RemoveAll(s.file())
}

func (s Settings) lock() string { return filepath.Join(s.Run, "outer.lock") }
func (s Settings) file() string { return filepath.Join(s.Run, "outer.json") }

func (s Settings) remember() error {
	old, err := s.load()
	if err != nil {
		return err
	}
	before := len(old.Values)
	for _, key := range guarded {
		if _, ok := old.Values[key]; ok {
			continue
		}
		value, err := s.get(key)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		old.Values[key] = value
	}
	if len(old.Values) == before {
		return nil
	}
	data, err := json.MarshalIndent(old, "", "  ")
	if err != nil {
		return err
	}
	tmp := s.file() + ".new"
	if err := os.WriteFile(tmp, append(data, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, s.file())
}

// load reads the former settings; those of an earlier boot say nothing about this one.
func (s Settings) load() (saved, error) {
	boot, err := s.get("kernel/random/boot_id")
	if err != nil {
		return saved{}, err
	}
	fresh := saved{Boot: boot, Values: map[string]string{}}
	data, err := os.ReadFile(s.file())
	if errors.Is(err, fs.ErrNotExist) {
		return fresh, nil
	}
	if err != nil {
		return saved{}, err
	}
	var old saved
	if err := json.Unmarshal(data, &old); err != nil {
		return saved{}, fmt.Errorf("%s is damaged: set the kernel settings in it by hand (%s) and delete it: %w", s.file(), strings.Join(slices.Sorted(slices.Values(guarded)), ", "), err)
	}
	if old.Boot != boot || old.Values == nil {
		return fresh, nil
	}
	return old, nil
}

func (s Settings) get(key string) (string, error) {
	data, err := os.ReadFile(filepath.Join(s.Root, key))
	return strings.TrimSpace(string(data)), err
}

func (s Settings) set(key, value string) error {
	if err := os.WriteFile(filepath.Join(s.Root, key), []byte(value), 0o644); err != nil {
		return fmt.Errorf("set kernel setting %s to %s: %w", strings.ReplaceAll(key, "/", "."), value, err)
	}
	return nil
}
