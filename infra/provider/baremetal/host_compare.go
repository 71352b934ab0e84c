// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	p "github.com/pulumi/pulumi-go-provider"
)

// difference is one thing on a machine that is not as it should be.
type difference struct {
	// path names it as the engine does: units["containerd.service"].
	path string
	kind p.DiffKind
	have string
	want string
}

func (d difference) String() string {
	have := d.have
	if have == "" {
		have = fileMissing
	}
	return fmt.Sprintf("%s is %q, expected %q", d.path, have, d.want)
}

// wantInstalled stands for any version of a package.
const wantInstalled = "installed"

// compare lists what a machine lacks, sorted by path. What a machine has that
// spec does not ask for is listed too, of the things that we manage.
func compare(spec hostSpec, have observation) []difference {
	var out []difference
	add := func(field string, want, have map[string]string, same func(want, have string) bool) {
		for _, k := range slices.Sorted(maps.Keys(want)) {
			v, known := have[k]
			d := difference{path: fmt.Sprintf("%s[%q]", field, k), kind: p.Update, have: v, want: want[k]}
			if !known {
				d.kind = p.Add
			}
			if !known || !same(want[k], v) {
				out = append(out, d)
			}
		}
		for _, k := range slices.Sorted(maps.Keys(have)) {
			if _, wanted := want[k]; !wanted {
				out = append(out, difference{path: fmt.Sprintf("%s[%q]", field, k), kind: p.Delete, have: have[k]})
			}
		}
	}
	equal := func(want, have string) bool { return want == have }
	add("files", spec.digests(), have.files, equal)
	add("loadedModules", constant(spec.modules, modLoaded), have.modules, equal)
	add("packageVersions", constant(spec.packages, wantInstalled), have.packages, func(_, have string) bool { return have != "" })
	add("sysctlValues", spec.sysctls, have.sysctls, func(want, have string) bool { return oneSpace(want) == oneSpace(have) })
	add("units", constant(spec.units, unitRunning), have.units, equal)
	return out
}

func constant(keys []string, value string) map[string]string {
	out := make(map[string]string, len(keys))
	for _, k := range keys {
		out[k] = value
	}
	return out
}

// oneSpace makes kernel settings of several numbers comparable: the kernel
// separates them by tabs.
func oneSpace(s string) string { return strings.Join(strings.Fields(s), " ") }

// only drops what spec does not ask for: state holds what we manage.
func (o observation) only(spec hostSpec) observation {
	keep := func(have map[string]string, wanted map[string]string) map[string]string {
		out := map[string]string{}
		for k, v := range have {
			if _, ok := wanted[k]; ok {
				out[k] = v
			}
		}
		return out
	}
	o.files = keep(o.files, spec.digests())
	o.modules = keep(o.modules, constant(spec.modules, ""))
	o.packages = keep(o.packages, constant(spec.packages, ""))
	o.sysctls = keep(o.sysctls, spec.sysctls)
	o.units = keep(o.units, constant(spec.units, ""))
	return o
}

// items are what spec asks for and what an earlier state managed.
func (spec hostSpec) items(earlier HostState) hostItems {
	keys := func(wanted []string, had map[string]string) []string {
		return sortedUnique(append(slices.Clone(wanted), slices.Collect(maps.Keys(had))...))
	}
	return hostItems{
		packages: keys(spec.packages, earlier.PackageVersions),
		files:    keys(slices.Collect(maps.Keys(spec.files)), earlier.Files),
		units:    keys(spec.units, earlier.Units),
		sysctls:  keys(slices.Collect(maps.Keys(spec.sysctls)), earlier.SysctlValues),
		modules:  keys(spec.modules, earlier.LoadedModules),
	}
}

// observed is the part of a state that was seen.
func (s HostState) observed() observation {
	return observation{facts: s.Facts, packages: s.PackageVersions, files: s.Files, units: s.Units, sysctls: s.SysctlValues, modules: s.LoadedModules}
}

// stateOf joins what was asked for with what was seen. Its maps are never nil:
// state without them could not be read back.
func stateOf(in HostArgs, o observation) HostState {
	full := func(m map[string]string) map[string]string {
		if m == nil {
			return map[string]string{}
		}
		return m
	}
	return HostState{HostArgs: in, Facts: o.facts, PackageVersions: full(o.packages), Files: full(o.files),
		Units: full(o.units), SysctlValues: full(o.sysctls), LoadedModules: full(o.modules)}
}

// predicted is the state that an update will leave, for previews. Versions of
// packages and facts are known only as far as they were seen.
func predicted(in HostArgs, earlier HostState) HostState {
	spec := desired(in)
	o := observation{facts: earlier.Facts, files: spec.digests(), units: constant(spec.units, unitRunning),
		modules: constant(spec.modules, modLoaded), packages: constant(spec.packages, ""), sysctls: map[string]string{}}
	for k, v := range spec.sysctls {
		o.sysctls[k] = oneSpace(v)
	}
	for k := range o.packages {
		o.packages[k] = earlier.PackageVersions[k]
	}
	return stateOf(in, o)
}
