// SPDX-License-Identifier: Apache-2.0

// Package baremetal is the rules over sites of machines: spine:baremetal:Host and
// spine:baremetal:Cluster.
package baremetal

import (
	"spine.nhs.uk/controlplane/infra/policy"
)

const (
	hostType    = "spine:baremetal:Host"
	clusterType = "spine:baremetal:Cluster"
)

// Rules are this package's.
func Rules() []policy.Rule {
	return []policy.Rule{
		{
			Name: "quorum-size", Severity: policy.Mandatory,
			Controls: []policy.Control{
				{Framework: policy.CAF, ID: "B5"}, {Framework: policy.NCSC, ID: "2.6"}, {Framework: policy.Spine, ID: "11"},
			},
			Types: []string{clusterType},
			Explanation: "A cluster has an odd number of control planes, and a live one at least three: with fewer, the loss " +
				"of one stops it; an even one adds a member that can fail, and no failure that can be survived.",
			Fix:   "Give 3 or 5 hosts the role ControlPlane, and the others Worker.",
			Check: quorumSize,
		},
		{
			Name: "quorum-spread", Severity: policy.Mandatory,
			Controls: []policy.Control{
				{Framework: policy.CAF, ID: "B5"}, {Framework: policy.NCSC, ID: "2.6"}, {Framework: policy.Spine, ID: "2"},
			},
			Types:       []string{clusterType},
			Explanation: "No rack holds so many control planes that the others are no quorum without it.",
			Fix:         "Put the control planes into different racks, and say in which they are.",
			Check:       quorumSpread,
		},
		{
			Name: "pinned-host-keys", Severity: policy.Mandatory,
			Controls:    []policy.Control{{Framework: policy.NCSC, ID: "1"}, {Framework: policy.NCSC, ID: "12"}},
			Types:       []string{hostType, clusterType},
			Explanation: "A host is only talked to when it presents the SSH key that is known for it: root's rights go over that line.",
			Fix:         "Set hostKey of the host, or name the file of known hosts in ssh.knownHostsFile.",
			Check:       pinnedKeys,
		},
		{
			Name: "pinned-binaries", Severity: policy.Mandatory,
			Controls: []policy.Control{{Framework: policy.NCSC, ID: "8"}, {Framework: policy.NCSC, ID: "1"}},
			Types:    []string{hostType, clusterType},
			Explanation: "What runs on hosts is fetched over TLS and by its digest, so that it is what was built and " +
				"nothing else under its name.",
			Fix:   "Let the program resolve images and binaries to digests (package registry does).",
			Check: pinnedBinaries,
		},
		{
			Name: "one-registry", Severity: policy.Mandatory,
			Controls:    []policy.Control{{Framework: policy.NCSC, ID: "8"}, {Framework: policy.CISKubernetes, ID: "5.5.1"}},
			Explanation: "On a site, every image comes from the registry that its hosts trust: there is no other way out, and no other is checked.",
			Fix:         "Name images as {{image \"name\"}} in manifests, which gives the site's address of them.",
			CheckStack:  oneRegistry,
		},
	}
}
