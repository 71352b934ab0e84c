// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"github.com/pulumi/pulumi-go-provider/infer"

	"spine.nhs.uk/controlplane/infra/provider/remote"
)

// Preflight is the function spine:baremetal:preflight.
type Preflight struct {
	// Dialer reaches machines: SSH in the provider, a fake in tests.
	Dialer remote.Dialer
}

// Annotate documents the function in the schema.
func (p *Preflight) Annotate(a infer.Annotator) {
	a.Describe(&p, "Checks all hosts of a site at once and changes nothing. It fails with one error that lists every problem of every host.")
}

// PreflightArgs is what to check.
type PreflightArgs struct {
	Hosts    []PreflightHost `pulumi:"hosts"`
	Registry *Registry       `pulumi:"registry,optional"`
	Cluster  *string         `pulumi:"cluster,optional"`
	Version  *string         `pulumi:"version,optional"`
}

// Annotate documents the fields in the schema.
func (p *PreflightArgs) Annotate(a infer.Annotator) {
	a.Describe(&p.Hosts, "Hosts to check, all at the same time, 10 seconds at most for each.")
	a.Describe(&p.Registry, "Registry that every host must reach and whose certificate must verify.")
	a.Describe(&p.Cluster, "Name of the cluster that the hosts may already be members of; members of another one are refused.")
	a.Describe(&p.Version, "Kubernetes version that the cluster is to have; refused when kubeadm cannot take a member there from what it runs.")
}

// PreflightHost is one host to check.
type PreflightHost struct {
	Name         string        `pulumi:"name"`
	Address      string        `pulumi:"address"`
	SSH          SSH           `pulumi:"ssh"`
	Requirements *Requirements `pulumi:"requirements,optional"`
}

// Annotate documents the fields in the schema.
func (p *PreflightHost) Annotate(a infer.Annotator) {
	a.Describe(&p, "A host to check.")
	a.Describe(&p.Name, "Name of the host; errors use it.")
	a.Describe(&p.Address, "IPv4 address of the host.")
	a.Describe(&p.SSH, "How the host is reached.")
	a.Describe(&p.Requirements, "What the machine must have.")
}

// PreflightResult is what was seen.
type PreflightResult struct {
	Facts map[string]Facts `pulumi:"facts"`
}

// Annotate documents the fields in the schema.
func (p *PreflightResult) Annotate(a infer.Annotator) {
	a.Describe(&p.Facts, "Facts by host name.")
}
