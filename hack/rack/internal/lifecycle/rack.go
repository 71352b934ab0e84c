// SPDX-License-Identifier: Apache-2.0

// Package lifecycle brings a rack up and down and tells how it stands.
package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"spine.nhs.uk/controlplane/hack/rack/internal/cgroup"
	"spine.nhs.uk/controlplane/hack/rack/internal/machine"
	"spine.nhs.uk/controlplane/hack/rack/internal/paths"
	"spine.nhs.uk/controlplane/hack/rack/internal/spec"
	"spine.nhs.uk/controlplane/hack/rack/racks"
)

// Rack is a rack with all that its commands work on.
type Rack struct {
	// Def is the definition that the rack runs with, or would come up with.
	Def spec.Rack
	// Exists says that the rack was brought up (perhaps not to the end) and not taken down.
	Exists bool
	// Home and Cache are the SPINE_HOME and SPINE_CACHE folders, Folder the rack's own.
	Home, Cache string
	Folder      paths.Rack
	Cgroups     cgroup.System
}

// NotUpError says that a rack does not run, where it has to.
type NotUpError struct{ Rack string }

func (e *NotUpError) Error() string {
	return fmt.Sprintf("rack %s is not up: `rack up --rack %s` brings it up", e.Rack, e.Rack)
}

// Open finds the named rack: the one that runs, or else the definition that comes with the program.
func Open(name string) (*Rack, error) {
	r, err := locate(name)
	if err != nil {
		return nil, err
	}
	def, err := spec.Load(r.Folder.Definition())
	switch {
	case err == nil:
		r.Def, r.Exists = def, true
		return r, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if r.Def, err = Builtin(name); err != nil {
		return nil, err
	}
	return r, nil
}

// OpenRunning finds a rack that was brought up.
func OpenRunning(name string) (*Rack, error) {
	r, err := locate(name)
	if err != nil {
		return nil, err
	}
	r.Def, err = spec.Load(r.Folder.Definition())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &NotUpError{Rack: name}
	}
	r.Exists = true
	return r, err
}

// ForUp prepares to bring the named rack up; whether it exists is looked up again under its lock.
func ForUp(name string) (*Rack, error) {
	r, err := OpenRunning(name)
	var notUp *NotUpError
	if errors.As(err, &notUp) {
		return locate(name)
	}
	return r, err
}

// ForDown prepares to take the named rack down. It needs no definition, and a damaged one does
// not keep the rack from going.
func ForDown(name string) (*Rack, error) {
	if r, err := OpenRunning(name); err == nil {
		return r, nil
	}
	return locate(name)
}

// locate fills in what depends on the rack's name alone.
func locate(name string) (*Rack, error) {
	home, err := paths.Home()
	if err != nil {
		return nil, err
	}
	cache, err := paths.Cache()
	if err != nil {
		return nil, err
	}
	folder, err := paths.ForRack(name)
	if err != nil {
		return nil, err
	}
	cgroups, err := cgroup.Detect()
	if err != nil {
		return nil, err
	}
	return &Rack{Def: spec.Rack{Name: name}, Home: home, Cache: cache, Folder: folder, Cgroups: cgroups}, nil
}

// Builtin is a definition that comes with the program.
func Builtin(name string) (spec.Rack, error) {
	data, err := racks.FS.ReadFile(name + ".yaml")
	if err != nil {
		return spec.Rack{}, fmt.Errorf("no rack %q: there are %s; give a file of your own with `rack up -f FILE`", name, strings.Join(BuiltinNames(), ", "))
	}
	return spec.Decode(data, name+".yaml")
}

// BuiltinNames lists the racks that come with the program.
func BuiltinNames() []string {
	files, _ := fs.Glob(racks.FS, "*.yaml") // the pattern is well formed
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f, ".yaml"))
	}
	return names
}

// Names lists the racks that exist under SPINE_HOME.
func Names() ([]string, error) {
	home, err := paths.Home()
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(home, "racks", "*", "rack.yaml"))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range files {
		names = append(names, filepath.Base(filepath.Dir(f)))
	}
	return names, nil
}

// Machines lists the rack's machines in file order.
func (r *Rack) Machines() []machine.Machine { return machine.All(r.Def, r.Folder, r.Cgroups) }

// Machine finds one machine by its host's name.
func (r *Rack) Machine(host string) (machine.Machine, error) {
	var names []string
	for _, m := range r.Machines() {
		if m.Host.Name == host {
			return m, nil
		}
		names = append(names, m.Host.Name)
	}
	return machine.Machine{}, fmt.Errorf("no host %q in rack %s: there are %s", host, r.Def.Name, strings.Join(names, ", "))
}

// lockFile keeps two commands that change one rack apart. It lies outside the rack's folder,
// which `rack down` removes.
func (r *Rack) lockFile() string {
	return filepath.Join(paths.Run, "rack-"+r.Def.Name+".lock")
}

// writeDefinition keeps the definition that the rack runs with.
func (r *Rack) writeDefinition() error {
	data, err := r.Def.Encode()
	if err != nil {
		return err
	}
	tmp := r.Folder.Definition() + ".new"
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, r.Folder.Definition())
}
