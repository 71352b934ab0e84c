// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"github.com/pulumi/pulumi-go-provider/infer"

	"spine.nhs.uk/controlplane/infra/provider/remote"
)

// Cluster is a highly available Kubernetes cluster made of hosts by kubeadm.
//
// Every operation runs the same loop: look at all hosts, let package quorum
// decide the next step, do that step, look again. A loop that was killed is
// therefore continued by the next one, whatever it had reached.
type Cluster struct {
	// Dialer opens connections to the hosts.
	Dialer remote.Dialer
}

// Resource registers c with the provider.
func (c *Cluster) Resource() infer.InferredResource {
	return computedInputs(infer.Resource(c), "members")
}

// Annotate documents the resource in the schema.
func (c *Cluster) Annotate(a infer.Annotator) {
	a.SetToken("baremetal", "Cluster")
	a.Describe(&c, "A highly available Kubernetes cluster made of hosts by kubeadm: stacked control planes behind one API address. "+
		"Control planes change one at a time and only while quorum holds; a change that would lose it is refused, in preview already.")
}
