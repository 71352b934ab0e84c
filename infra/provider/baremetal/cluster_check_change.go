// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"errors"
	"fmt"

	"spine.nhs.uk/controlplane/infra/provider/kubeadm"
	"spine.nhs.uk/controlplane/infra/provider/quorum"
)

// change refuses what a running cluster cannot be changed to, as far as that
// can be told from the inputs alone. What depends on the health of members is
// judged later, on the live cluster.
func (c *clusterChecker) change(old, in ClusterArgs) {
	if err := kubeadm.CheckUpgrade(old.KubernetesVersion, in.KubernetesVersion); err != nil {
		c.fail("kubernetesVersion", "%v", err)
	}
	was, now := old.settings(), in.settings()
	for _, f := range []struct {
		property string
		was, now any
	}{
		{"name", was.Name, now.Name},
		{"endpoint.name", was.EndpointName, now.EndpointName},
		{"endpoint.address", was.EndpointAddress, now.EndpointAddress},
		{"endpoint.port", was.EndpointPort, now.EndpointPort},
		{"network.podCIDR", was.PodCIDR, now.PodCIDR},
		{"network.serviceCIDR", was.ServiceCIDR, now.ServiceCIDR},
		{"network.dnsDomain", was.Domain, now.Domain},
	} {
		if f.was != f.now && c.known[topOf(f.property)] {
			c.fail(f.property, "cannot be changed from %v to %v on a running cluster: it would have to be made anew and lose everything in it; destroy it first if that is meant", f.was, f.now)
		}
	}
	for i, h := range in.Hosts {
		for _, o := range old.Hosts {
			if o.Name == h.Name && o.MachineID == h.MachineID && o.MachineID != "" && o.Address != h.Address {
				c.fail(fmt.Sprintf("hosts[%d].address", i), "cannot be changed from %s to %s while host %s is a member: remove the host in one update, add it in the next", o.Address, h.Address, h.Name)
			}
		}
	}
	if err := requestedMembers(old, in); err != nil {
		c.fail("hosts", "%v", err)
	}
}

// requestedMembers judges the change of control planes, supposing that all are
// healthy.
func requestedMembers(old, in ClusterArgs) error {
	s := quorum.Situation{Version: in.KubernetesVersion, Existed: true}
	for _, h := range old.Hosts {
		if h.Role == RoleControlPlane {
			s.Current = append(s.Current, quorum.Member{Name: h.Name, MachineID: h.MachineID, Voter: true, Joined: true, Health: quorum.Healthy, Version: in.KubernetesVersion})
		}
	}
	for _, h := range in.Hosts {
		if h.Role == RoleControlPlane {
			s.Desired = append(s.Desired, quorum.Host{Name: h.Name, MachineID: h.MachineID})
		}
	}
	var errs []error
	for _, b := range quorum.Decide(s).Blockers {
		errs = append(errs, b)
	}
	return errors.Join(errs...)
}

// topOf is the first name in a property path.
func topOf(property string) string {
	for i := range len(property) {
		if property[i] == '.' || property[i] == '[' {
			return property[:i]
		}
	}
	return property
}
