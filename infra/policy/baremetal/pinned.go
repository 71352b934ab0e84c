// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"strings"

	"spine.nhs.uk/controlplane/infra/policy"
)

var byDigest = policy.Demand{
	Path: policy.Path{}, Wanted: "an address by digest (@sha256:...)",
	Met: func(n policy.Node) bool { return strings.Contains(n.Text(), "@sha256:") },
}

func pinnedKeys(r policy.Resource, _ policy.Environment) []policy.Finding {
	hostKey := policy.IsSet("ssh", "hostKey")
	if r.Type == hostType {
		return policy.Unmet(r.Input(), hostKey)
	}
	var found []policy.Finding
	for _, host := range r.Input("hosts").Items() {
		found = append(found, policy.Unmet(host, hostKey)...)
	}
	return found
}

func pinnedBinaries(r policy.Resource, _ policy.Environment) []policy.Finding {
	if r.Type == hostType {
		return policy.Unmet(r.Input("containerRuntime", "sandboxImage"), byDigest)
	}
	begins := func(prefix string, path ...any) policy.Demand {
		return policy.Demand{Path: path, Wanted: "one that begins with " + prefix, Met: func(n policy.Node) bool {
			return strings.HasPrefix(n.Text(), prefix)
		}}
	}
	return policy.Unmet(r.Input("binaries"), begins("https://", "url"), begins("sha256:", "digest"))
}

// oneRegistry compares the images in Kubernetes objects with the registries of hosts.
func oneRegistry(s policy.Stack) []policy.Finding {
	registries := map[string]bool{}
	for _, r := range s.Resources {
		if r.Type == hostType && !r.Goes() {
			registries[r.Input("registry", "host").Text()] = true
		}
	}
	delete(registries, "")
	if len(registries) == 0 {
		return nil // no site, or one that is not known yet
	}
	var found []policy.Finding
	for _, r := range s.Resources {
		if r.Type != "spine:kubernetes:Manifests" || r.Goes() {
			continue
		}
		for _, object := range r.Input("objects").Fields() {
			if object.At("kind").Text() == "CustomResourceDefinition" {
				continue
			}
			object.Each(func(n policy.Node) {
				if len(n.Path) == 0 || n.Path[len(n.Path)-1] != "image" || n.Text() == "" {
					return
				}
				if host, _, _ := strings.Cut(n.Text(), "/"); !registries[host] {
					f := n.Found("%s is not of the site's registry", n.Text())
					f.URN = r.URN
					found = append(found, f)
				}
			})
		}
	}
	return found
}
