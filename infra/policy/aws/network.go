// SPDX-License-Identifier: Apache-2.0

package aws

import (
	"slices"
	"strings"

	"spine.nhs.uk/controlplane/infra/policy"
)

const (
	listener = "aws:lb/listener:Listener"
	balancer = "aws:lb/loadBalancer:LoadBalancer"
	vpc      = "aws:ec2/vpc:Vpc"
)

// anywhere are the networks that hold every address.
var anywhere = []string{"0.0.0.0/0", "::/0"}

// publicPorts are those at which the services answer: HTTPS, and the edge's.
var publicPorts = []float64{443, 8443, 8444, 8445}

func networkRules() []policy.Rule {
	return []policy.Rule{
		{
			Name: "ingress-narrow", Controls: append(cis("5.2", "5.3"), ncsc("11")...),
			Types: []string{
				"aws:ec2/securityGroup:SecurityGroup", "aws:ec2/securityGroupRule:SecurityGroupRule",
				"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
			},
			Explanation: "From everywhere, only the ports of the services are reached.",
			Fix:         "Name the networks that may come in; reach machines for maintenance by Session Manager.",
			Check:       ingress,
		},
		{
			Name: "default-group-closed", Controls: append(cis("5.4"), ncsc("11")...),
			Types:       []string{"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"},
			Explanation: "The group that everything without one gets lets nothing through.",
			Fix:         "Give the default group no rules.",
			Check: func(r policy.Resource, _ policy.Environment) []policy.Finding {
				var found []policy.Finding
				for _, side := range []string{"ingress", "egress"} {
					if n := r.Input(side); len(n.Items()) > 0 {
						found = append(found, n.Found("the default group has rules"))
					}
				}
				return found
			},
		},
		{
			Name: "tls-only", Controls: ncsc("1"), Types: []string{listener},
			Explanation: "Load balancers speak TLS 1.2 or higher, or send HTTP there.",
			Fix:         "Use protocol HTTPS or TLS with sslPolicy ELBSecurityPolicy-TLS13-1-2-2021-06.",
			Check:       tlsOnly,
		},
		{
			Name: "balancer-protected", Controls: append(caf("B5"), ncsc("11", "13")...), Types: []string{balancer},
			Explanation: "AWS refuses to delete the way in; what came in is logged; malformed headers are dropped.",
			Fix:         "Set enableDeletionProtection, accessLogs and, of an application's, dropInvalidHeaderFields.",
			Check: func(r policy.Resource, _ policy.Environment) []policy.Finding {
				demands := []policy.Demand{policy.IsTrue("enableDeletionProtection"), policy.IsTrue("accessLogs", "enabled")}
				if kind := r.Input("loadBalancerType").Text(); kind == "" || kind == "application" {
					demands = append(demands, policy.IsTrue("dropInvalidHeaderFields"))
				}
				return policy.Unmet(r.Input(), demands...)
			},
		},
		{
			Name: "subnet-private", Controls: append(cis("5.2"), ncsc("11")...), Types: []string{"aws:ec2/subnet:Subnet"},
			Explanation: "Machines get no public address by default.",
			Fix:         "Set mapPublicIpOnLaunch to false.",
			Check:       policy.Demands(policy.IsNotTrue("mapPublicIpOnLaunch")),
		},
		{
			Name: "flow-logs", Controls: append(cis("3.7"), ncsc("13")...),
			Explanation: "It is known who talked to whom.",
			Fix:         "Add a FlowLog with the network's vpcId.",
			CheckStack:  companions([]string{vpc}, "aws:ec2/flowLog:FlowLog", "vpcId", "the network has no FlowLog"),
		},
	}
}

// ingress reads the three ways in which rules are written.
func ingress(r policy.Resource, _ policy.Environment) []policy.Finding {
	switch {
	case strings.HasPrefix(r.Type, "aws:ec2/securityGroup:"):
		var found []policy.Finding
		for _, rule := range r.Input("ingress").Items() {
			found = append(found, wideOpen(rule, "cidrBlocks", "ipv6CidrBlocks")...)
		}
		return found
	case r.Input("type").Text() == "egress":
		return nil
	}
	return wideOpen(r.Input(), "cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIpv6")
}

// wideOpen finds networks that hold every address, unless the port is a service's.
func wideOpen(rule policy.Node, properties ...string) []policy.Finding {
	from, to := rule.At("fromPort"), rule.At("toPort")
	if from.Hidden() || from.Number() == to.Number() && slices.Contains(publicPorts, from.Number()) {
		return nil
	}
	var found []policy.Finding
	for _, property := range properties {
		list := rule.At(property)
		for _, n := range append(list.Items(), list) {
			if slices.Contains(anywhere, n.Text()) {
				found = append(found, n.Found("ports %v to %v are open to %s", from.Number(), to.Number(), n.Text()))
			}
		}
	}
	return found
}

// tls12 are the policies without older versions.
var tls12 = []string{"ELBSecurityPolicy-TLS13-1-2-", "ELBSecurityPolicy-TLS13-1-3-", "ELBSecurityPolicy-FS-1-2-", "ELBSecurityPolicy-TLS-1-2-"}

func tlsOnly(r policy.Resource, _ policy.Environment) []policy.Finding {
	protocol := r.Input("protocol")
	switch protocol.Text() {
	case "HTTPS", "TLS":
		named := r.Input("sslPolicy")
		if named.Hidden() || slices.ContainsFunc(tls12, func(p string) bool { return strings.HasPrefix(named.Text(), p) }) {
			return nil
		}
		return []policy.Finding{named.Found("%q allows versions before TLS 1.2", named.Text())}
	case "HTTP":
		for _, action := range r.Input("defaultActions").Items() {
			if action.At("type").Text() != "redirect" || action.At("redirect", "protocol").Text() != "HTTPS" {
				return []policy.Finding{protocol.Found("HTTP is answered, not sent to HTTPS")}
			}
		}
		return nil
	}
	if protocol.Hidden() {
		return nil
	}
	// TCP to a target that ends TLS itself is how the edge of a cluster is reached.
	return policy.Unmet(r.Input(), policy.OneOf([]string{"TCP"}, "protocol"))
}
