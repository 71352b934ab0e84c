// SPDX-License-Identifier: Apache-2.0

package environments

import (
	"net/netip"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	maxHosts     = 100
	maxShortName = 20
	maxList      = 16
	maxMirrors   = 8
	maxServers   = 3
)

// Validate returns everything that is wrong, with the path of each field. It
// expects defaults to be filled in.
func (e *Environment) Validate() field.ErrorList {
	var errs field.ErrorList
	errs = append(errs, shortName(field.NewPath("name"), e.Name)...)
	if len(e.Purpose) > mostPurpose {
		errs = append(errs, field.TooLong(field.NewPath("purpose"), "", mostPurpose))
	}
	errs = append(errs, label(field.NewPath("owner"), e.Owner)...)
	if !slices.Contains(classOrder, e.Class) {
		errs = append(errs, field.NotSupported(field.NewPath("class"), e.Class, classOrder))
	}
	errs = append(errs, e.validateSite(field.NewPath("site"))...)
	errs = append(errs, e.validateSSH(field.NewPath("ssh"))...)
	errs = append(errs, e.validateHosts(field.NewPath("hosts"))...)
	errs = append(errs, e.validateAddresses()...)
	errs = append(errs, e.validateRegistry(field.NewPath("registry"))...)
	errs = append(errs, e.validateKubernetes(field.NewPath("kubernetes"))...)
	errs = append(errs, e.validateNetwork(field.NewPath("network"))...)
	errs = append(errs, e.validateStorage(field.NewPath("storage", "path"))...)
	errs = append(errs, e.validateTimings(field.NewPath("timings"))...)
	errs = append(errs, e.validateManagement(field.NewPath("management"))...)
	errs = append(errs, e.Operations.validate(field.NewPath("operations"))...)
	errs = append(errs, e.validateServices()...)
	errs = append(errs, e.validateBackups(field.NewPath("backups"))...)
	errs = append(errs, e.validatePair(field.NewPath("pair"))...)
	errs = append(errs, validateWaivers(field.NewPath("waivers"), e.Waivers)...)
	return errs
}

func (e *Environment) validateSite(p *field.Path) field.ErrorList {
	errs := shortName(p.Child("name"), e.Site.Name)
	_, err := ipv4Prefix(p.Child("subnet"), e.Site.Subnet)
	errs = append(errs, err...)
	switch name := e.Site.Interface; {
	case name == "":
		errs = append(errs, field.Required(p.Child("interface"), "name the hosts' network interface on the subnet"))
	case len(name) > 15 || strings.ContainsAny(name, "/ \t\n\""):
		errs = append(errs, field.Invalid(p.Child("interface"), name, "must be an interface name of 1 to 15 characters"))
	}
	if n := len(e.Site.Nameservers); n > maxServers {
		errs = append(errs, field.TooMany(p.Child("nameservers"), n, maxServers))
	}
	for i, s := range e.Site.Nameservers {
		if _, err := ipv4(p.Child("nameservers").Index(i), s); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

func (e *Environment) validateSSH(p *field.Path) field.ErrorList {
	var errs field.ErrorList
	if validation.IsDNS1123Label(e.SSH.User) != nil {
		errs = append(errs, field.Invalid(p.Child("user"), e.SSH.User, "must be a user name of lower-case letters, digits and '-'"))
	}
	errs = append(errs, between(p.Child("port"), e.SSH.Port, 1, 65535)...)
	errs = append(errs, localFile(p.Child("identityFile"), e.SSH.IdentityFile)...)
	return append(errs, localFile(p.Child("knownHostsFile"), e.SSH.KnownHostsFile)...)
}

func (e *Environment) validateRegistry(p *field.Path) field.ErrorList {
	errs := hostPort(p.Child("host"), e.Registry.Host)
	if len(e.Registry.Mirrors) > maxMirrors {
		errs = append(errs, field.TooMany(p.Child("mirrors"), len(e.Registry.Mirrors), maxMirrors))
	}
	seen := map[string]bool{e.Registry.Host: true}
	for i, m := range e.Registry.Mirrors {
		at := p.Child("mirrors").Index(i)
		errs = append(errs, hostPort(at, m)...)
		if seen[m] {
			errs = append(errs, field.Duplicate(at, m))
		}
		seen[m] = true
	}
	errs = append(errs, label(p.Child("repository"), e.Registry.Repository)...)
	return append(errs, localFile(p.Child("caFile"), e.Registry.CAFile)...)
}

func (e *Environment) validateNetwork(p *field.Path) field.ErrorList {
	n := e.Network
	var errs field.ErrorList
	switch n.CNI {
	case CNIKubeRouter:
		if len(n.Manifests) > 0 {
			errs = append(errs, field.Forbidden(p.Child("manifests"), "only for cni custom"))
		}
		if len(n.Images) > 0 {
			errs = append(errs, field.Forbidden(p.Child("images"), "only for cni custom"))
		}
	case CNICustom:
		if len(n.Manifests) == 0 {
			errs = append(errs, field.Required(p.Child("manifests"), "cni custom needs at least one file of manifests"))
		}
	default:
		errs = append(errs, field.NotSupported(p.Child("cni"), n.CNI, []CNI{CNIKubeRouter, CNICustom}))
	}
	for i, file := range n.Manifests {
		errs = append(errs, projectFile(p.Child("manifests").Index(i), file)...)
	}
	for i, image := range n.Images {
		name, tag, ok := strings.Cut(image, ":")
		if !ok || validation.IsDNS1123Label(name) != nil || tag == "" || strings.ContainsAny(tag, ":/@ ") {
			errs = append(errs, field.Invalid(p.Child("images").Index(i), image, "must be name:tag, as under the registry's repository"))
		}
	}
	if len(n.Manifests) > maxList {
		errs = append(errs, field.TooMany(p.Child("manifests"), len(n.Manifests), maxList))
	}
	if len(n.Images) > maxList {
		errs = append(errs, field.TooMany(p.Child("images"), len(n.Images), maxList))
	}
	return errs
}

func (e *Environment) validateStorage(p *field.Path) field.ErrorList {
	dir := e.Storage.Path
	// A folder directly under the root could be one that the system needs.
	if path.Clean(dir) != dir || !path.IsAbs(dir) || strings.Count(dir, "/") < 2 || strings.ContainsAny(dir, "\"\\\n \t") {
		return field.ErrorList{field.Invalid(p, dir, "must be an absolute path of at least two parts, without spaces or a trailing slash")}
	}
	reserved := []string{"/var/lib/etcd", "/var/lib/kubelet", "/var/lib/containerd", "/etc", "/usr", "/proc", "/sys", "/dev"}
	if i := slices.IndexFunc(reserved, func(r string) bool { return dir == r || strings.HasPrefix(dir, r+"/") }); i >= 0 {
		return field.ErrorList{field.Invalid(p, dir, "must not be in "+reserved[i])}
	}
	return nil
}

func (e *Environment) validateTimings(p *field.Path) field.ErrorList {
	t := e.Timings
	errs := between(p.Child("etcdHeartbeatMs"), t.EtcdHeartbeatMs, 50, 1000)
	if ratio := float64(t.EtcdElectionMs) / float64(t.EtcdHeartbeatMs); len(errs) == 0 && (ratio < 5 || ratio > 50) {
		errs = append(errs, field.Invalid(p.Child("etcdElectionMs"), t.EtcdElectionMs, "must be 5 to 50 times etcdHeartbeatMs"))
	}
	errs = append(errs, between(p.Child("nodeMonitorGraceSeconds"), t.NodeMonitorGraceSeconds, 4, 300)...)
	errs = append(errs, between(p.Child("leaseSeconds"), t.LeaseSeconds, 4, 60)...)
	return append(errs, between(p.Child("evictionSeconds"), t.EvictionSeconds, 1, 3600)...)
}

// subnet is the site's, or the zero prefix if it is not one.
func (e *Environment) subnet() netip.Prefix {
	p, _ := netip.ParsePrefix(e.Site.Subnet)
	return p
}
