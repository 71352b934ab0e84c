// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"

	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"spine.nhs.uk/controlplane/infra/provider/kubeadm"
	"spine.nhs.uk/controlplane/infra/provider/remote"
)

// Check validates all inputs at once, without network, and fills in what each
// member shall be. With the old inputs it also refuses what kubeadm or etcd
// could not do, so that a preview refuses it.
func (c *Cluster) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[ClusterArgs], error) {
	in, failures, err := infer.DefaultCheck[ClusterArgs](ctx, req.NewInputs.Delete("members"))
	if err != nil || len(failures) > 0 {
		// What could not be decoded makes every further complaint a guess.
		return infer.CheckResponse[ClusterArgs]{Inputs: in, Failures: failures}, err
	}
	k := &clusterChecker{known: known(req.NewInputs)}
	k.all(in)
	if old, ok := oldCluster(req.OldInputs); ok && len(k.failures) == 0 {
		k.change(old, in)
	}
	in.Members = in.desiredMembers()
	return infer.CheckResponse[ClusterArgs]{Inputs: in, Failures: k.failures}, nil
}

// oldCluster decodes the inputs of the last update; those of another version
// of this provider may not decode, and are then not compared.
func oldCluster(m property.Map) (ClusterArgs, bool) {
	if m.Len() == 0 {
		return ClusterArgs{}, false
	}
	// Not the caller's context: DefaultCheck leaves its encoder there.
	old, failures, err := infer.DefaultCheck[ClusterArgs](context.Background(), m)
	return old, err == nil && len(failures) == 0 && len(old.Hosts) > 0
}

// known says of which properties the whole value is known.
func known(m property.Map) map[string]bool {
	out := map[string]bool{}
	for k, v := range m.All {
		out[k] = !v.HasComputed()
	}
	return out
}

var (
	clusterName    = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$`)
	binariesDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	imageTag       = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	imageRepo      = regexp.MustCompile(`^[a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?(:[0-9]{1,5})?(/[a-z0-9][-a-z0-9._]*)*$`)
	httpsURL       = regexp.MustCompile(`^https://[-a-zA-Z0-9._~:/?&=%\[\]]+$`)
	machineID      = regexp.MustCompile(`^[0-9a-f]{32}$`)
	labelExpected  = "a label: expected 1 to 63 lower-case letters, digits and dashes"
)

// clusterChecker collects failures. A value that is not known yet decodes as
// empty; where one may be, emptiness is no failure.
type clusterChecker struct {
	hostChecker
	known map[string]bool
}

// matchKnown is match for a value of a property that may not be known yet.
func (c *clusterChecker) matchKnown(top, property, value string, pattern *regexp.Regexp, expected string) {
	if value == "" && !c.known[top] {
		return
	}
	c.match(property, value, pattern, expected)
}

func (c *clusterChecker) all(in ClusterArgs) {
	c.matchKnown("name", "name", in.Name, clusterName, "a cluster name: expected 1 to 40 lower-case letters, digits and dashes")
	if in.KubernetesVersion != "" || c.known["kubernetesVersion"] {
		if err := kubeadm.CheckVersion(in.KubernetesVersion); err != nil {
			c.fail("kubernetesVersion", "%v", err)
		}
	}
	c.matchKnown("binaries", "binaries.url", in.Binaries.URL, httpsURL, "an https:// address")
	c.matchKnown("binaries", "binaries.digest", in.Binaries.Digest, binariesDigest, "a digest: expected sha256: and 64 hexadecimal digits")
	if f := in.Binaries.CAFile; f != nil && *f != "" {
		c.match("binaries.caFile", *f, absolutePath, "an absolute path")
	}
	c.matchKnown("imageRepository", "imageRepository", in.ImageRepository, imageRepo, "a repository such as 10.90.0.1:5000/spine, without https://")
	c.matchKnown("imageTags", "imageTags.etcd", in.ImageTags.Etcd, imageTag, "an image tag")
	c.matchKnown("endpoint", "endpoint.name", in.Endpoint.Name, dnsName, "a host name")
	c.port("endpoint.port", in.Endpoint.Port)
	if in.Endpoint.Address != "" || c.known["endpoint"] {
		c.ipv4("endpoint.address", in.Endpoint.Address)
	}
	c.network(in)
	c.hosts(in)
	if e := in.settings(); e.HeartbeatMs < 50 || e.HeartbeatMs > 1000 {
		c.fail("etcd.heartbeatMs", "%d is out of range: expected 50 to 1000", e.HeartbeatMs)
	} else if e.ElectionMs < 5*e.HeartbeatMs || e.ElectionMs > 50*e.HeartbeatMs {
		c.fail("etcd.electionMs", "%d is out of range: expected 5 to 50 heartbeats, %d to %d", e.ElectionMs, 5*e.HeartbeatMs, 50*e.HeartbeatMs)
	}
	s := in.settings()
	c.between("timings.nodeMonitorGraceSeconds", s.NodeGraceSeconds, 4, 300)
	c.between("timings.unreachableSeconds", s.UnreachableSeconds, 0, 3600)
	c.between("timings.leaseSeconds", s.LeaseSeconds, 4, 60)
}

func (c *clusterChecker) between(property string, value, low, high int) {
	if value < low || value > high {
		c.fail(property, "%d is out of range: expected %d to %d", value, low, high)
	}
}

func (c *clusterChecker) port(property string, port *int) {
	if port != nil {
		c.between(property, *port, 1, 65535)
	}
}

// network checks that no address range covers another or a machine.
func (c *clusterChecker) network(in ClusterArgs) {
	parse := func(property, value string) netip.Prefix {
		if value == "" && !c.known["network"] {
			return netip.Prefix{}
		}
		p, err := netip.ParsePrefix(value)
		if err != nil || !p.Addr().Is4() || p.Masked() != p {
			c.fail(property, "%q is not an IPv4 network: expected one such as 10.244.0.0/16", value)
			return netip.Prefix{}
		}
		return p
	}
	pods, services := parse("network.podCIDR", in.Network.PodCIDR), parse("network.serviceCIDR", in.Network.ServiceCIDR)
	if pods.IsValid() && pods.Bits() > 22 {
		c.fail("network.podCIDR", "%s is too small: each host takes a /24 of it, expected /22 or larger", pods)
	}
	if pods.IsValid() && services.IsValid() && pods.Overlaps(services) {
		c.fail("network.serviceCIDR", "%s overlaps network.podCIDR %s: use separate networks", services, pods)
	}
	if d := in.Network.DNSDomain; d != nil && (*d != "" || c.known["network"]) {
		c.match("network.dnsDomain", *d, dnsName, "a domain name")
	}
	inside := func(property, address string) {
		a, err := netip.ParseAddr(address)
		for name, p := range map[string]netip.Prefix{"network.podCIDR": pods, "network.serviceCIDR": services} {
			if err == nil && p.IsValid() && p.Contains(a) {
				c.fail(property, "%s lies within %s %s: use an address outside of it", a, name, p)
			}
		}
	}
	inside("endpoint.address", in.Endpoint.Address)
	for i, h := range in.Hosts {
		inside(fmt.Sprintf("hosts[%d].address", i), h.Address)
	}
}

func (c *clusterChecker) hosts(in ClusterArgs) {
	seen := map[string]string{}
	once := func(property, what, value string) {
		if value == "" {
			return
		}
		if other, ok := seen[what+value]; ok {
			c.fail(property, "%s %s is already that of %s: each host needs its own", what, value, other)
			return
		}
		seen[what+value] = property
	}
	controlPlanes := 0
	for i, h := range in.Hosts {
		at := fmt.Sprintf("hosts[%d]", i)
		c.matchKnown("hosts", at+".name", h.Name, dnsLabel, labelExpected)
		if h.Address != "" || c.known["hosts"] {
			c.ipv4(at+".address", h.Address)
		}
		c.matchKnown("hosts", at+".machineId", h.MachineID, machineID, "a machine ID: expected 32 hexadecimal digits, as in /etc/machine-id")
		c.matchKnown("hosts", at+".labels.site", h.Labels.Site, dnsLabel, labelExpected)
		c.matchKnown("hosts", at+".labels.rack", h.Labels.Rack, dnsLabel, labelExpected)
		if _, err := remote.ParseHostKey(h.SSH.HostKey); err != nil && (h.SSH.HostKey != "" || c.known["hosts"]) {
			c.fail(at+".ssh.hostKey", "%v", err)
		}
		c.port(at+".ssh.port", h.SSH.Port)
		switch h.Role {
		case RoleControlPlane:
			controlPlanes++
		case RoleWorker:
		default:
			if h.Role != "" || c.known["hosts"] {
				c.fail(at+".role", "%q is not a role: expected %s or %s", h.Role, RoleControlPlane, RoleWorker)
			}
		}
		once(at+".name", "name", h.Name)
		once(at+".address", "address", h.Address)
		once(at+".machineId", "machineId", h.MachineID)
		if h.Address != "" && h.Address == in.Endpoint.Address {
			c.fail("endpoint.address", "%s is the own address of host %s: use one that no host owns", h.Address, h.Name)
		}
	}
	if controlPlanes == 0 && c.known["hosts"] {
		c.fail("hosts", "none has role %s: a cluster needs at least one, and three to survive the loss of one", RoleControlPlane)
	}
}
