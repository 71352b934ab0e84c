// SPDX-License-Identifier: Apache-2.0

// Package paths says where the rack keeps its files.
package paths

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// Run is the machine-wide folder of all racks: locks, and the outer machine's settings as
// they were. It lies on a file system that a reboot empties, as a reboot resets the settings.
const Run = "/run/spine/rack"

// Home is the folder of what must not be lost while a rack runs:
// SPINE_HOME, by default ~/.local/share/spine.
func Home() (string, error) {
	if dir := os.Getenv("SPINE_HOME"); dir != "" {
		return filepath.Abs(dir)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("set SPINE_HOME or HOME to say where racks are kept: %w", err)
	}
	return filepath.Join(home, ".local", "share", "spine"), nil
}

// Cache is the folder of what can be rebuilt:
// SPINE_CACHE, by default $XDG_CACHE_HOME/spine or ~/.cache/spine.
func Cache() (string, error) {
	if dir := os.Getenv("SPINE_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(dir, "spine"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("set SPINE_CACHE or HOME to say where built files are kept: %w", err)
	}
	return filepath.Join(home, ".cache", "spine"), nil
}

// Rack is the folder of one rack.
type Rack string

// ForRack is the folder of the named rack under SPINE_HOME.
func ForRack(name string) (Rack, error) {
	home, err := Home()
	if err != nil {
		return "", err
	}
	return Rack(filepath.Join(home, "racks", name)), nil
}

func (r Rack) file(name string) string { return filepath.Join(string(r), name) }

func (r Rack) Definition() string  { return r.file("rack.yaml") }
func (r Rack) SSHKey() string      { return r.file("id_ed25519") }
func (r Rack) SSHPublic() string   { return r.file("id_ed25519.pub") }
func (r Rack) KnownHosts() string  { return r.file("known_hosts") }
func (r Rack) CACert() string      { return r.file("ca.crt") }
func (r Rack) CAKey() string       { return r.file("ca.key") }
func (r Rack) BMCPassword() string { return r.file("bmc-password") }
func (r Rack) DaemonPID() string   { return r.file("daemon.pid") }
func (r Rack) DaemonLog() string   { return r.file("daemon.log") }

// ZoneKey holds the key, in base64, with which a site may update the rack's zone.
func (r Rack) ZoneKey(site string) string { return r.file("zone-key-" + site) }

// RegistryPort holds the loopback port that images are pushed to, in decimal.
func (r Rack) RegistryPort() string { return r.file("registry-port") }

// RegistryConfig is the configuration of the registry process.
func (r Rack) RegistryConfig() string { return r.file("registry.yml") }

// ObjectStore holds the account of the rack's object store, ObjectStorePort the loopback port
// of its process, and Objects what is in it.
func (r Rack) ObjectStore() string     { return r.file("object-store.json") }
func (r Rack) ObjectStorePort() string { return r.file("object-store-port") }
func (r Rack) Objects() string         { return r.file("objects") }

// Host is the folder of one host of the rack.
func (r Rack) Host(name string) Host { return Host(filepath.Join(string(r), "hosts", name)) }

// Host is the folder of one host: its disk and what the rack keeps about it.
type Host string

func (h Host) file(name string) string { return filepath.Join(string(h), name) }

func (h Host) Root() string        { return h.file("root") }
func (h Host) Console() string     { return h.file("console.log") }
func (h Host) HostKey() string     { return h.file("ssh_host_ed25519_key") }
func (h Host) MachineID() string   { return h.file("machine-id") }
func (h Host) LauncherPID() string { return h.file("launcher.pid") }
func (h Host) Lock() string        { return h.file("power.lock") }

// Disk is the file that holds the host's file system, Mounted where its machine mounts it, and
// Staged where its content lies before it is made.
func (h Host) Disk() string    { return h.file("disk.img") }
func (h Host) Mounted() Layout { return Layout(h.file("disk")) }
func (h Host) Staged() Layout  { return Layout(h.file("disk.new")) }

// Meminfo is what the host sees as /proc/meminfo.
func (h Host) Meminfo() string { return h.file("meminfo") }

// Installed names the root file system that the disk was installed from; its presence says
// that the installation finished.
func (h Host) Installed() string { return h.file("installed") }

// Layout is the top folder of a host's disk.
type Layout string

func (l Layout) Upper() string           { return filepath.Join(string(l), "upper") }
func (l Layout) Work() string            { return filepath.Join(string(l), "work") }
func (l Layout) Area(name string) string { return filepath.Join(string(l), "data", name) }

// NewestRootfs is the most recently built host root file system in the cache.
func NewestRootfs() (string, error) {
	cache, err := Cache()
	if err != nil {
		return "", err
	}
	found, err := filepath.Glob(filepath.Join(cache, "rootfs", "*", "sbin", "init"))
	if err != nil {
		return "", err
	}
	type candidate struct {
		dir  string
		time time.Time
	}
	var all []candidate
	for _, init := range found {
		dir := filepath.Dir(filepath.Dir(init))
		// A build under way or cut short has a suffix until it is renamed.
		if strings.Contains(filepath.Base(dir), ".") {
			continue
		}
		if info, err := os.Stat(dir); err == nil {
			all = append(all, candidate{dir, info.ModTime()})
		}
	}
	if len(all) == 0 {
		return "", fmt.Errorf("no host root file system in %s: build it with `go run ./hack/images rootfs`, or name one with --rootfs", filepath.Join(cache, "rootfs"))
	}
	sort.Slice(all, func(i, j int) bool { return all[i].time.After(all[j].time) })
	return all[0].dir, nil
}
