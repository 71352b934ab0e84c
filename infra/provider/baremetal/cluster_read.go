// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi-go-provider/infer"
)

// Read looks at all members, so that a refresh shows what was changed by hand.
// A host that does not answer keeps what was known of it, with a warning; a
// cluster of which nothing is left on any host is gone.
func (c *Cluster) Read(ctx context.Context, req infer.ReadRequest[ClusterArgs, ClusterState]) (infer.ReadResponse[ClusterArgs, ClusterState], error) {
	var none infer.ReadResponse[ClusterArgs, ClusterState]
	args := req.State.ClusterArgs
	if len(args.Hosts) == 0 {
		return none, fmt.Errorf("cluster %s cannot be imported, because its hosts are not known: add it to the program instead, creating it adopts a cluster of that name", req.ID)
	}
	prior := req.State
	s := c.open(ctx, args, &prior)
	defer s.close()
	if err := s.look(ctx); err != nil {
		return none, err
	}
	if err := s.unreachable(); err != nil {
		s.warn("keeping what was known of hosts that do not answer: %v", err)
	}
	out := infer.ReadResponse[ClusterArgs, ClusterState](req)
	out.State.Members = s.members(req.State.Members)
	if len(out.State.Members) == 0 && s.unreachable() == nil {
		return none, nil
	}
	if s.speaker == nil {
		if s.speakerFault != nil {
			s.warn("no control plane answers, so that only the hosts themselves were looked at: %v", s.speakerFault)
		}
		return out, nil
	}
	var err error
	out.State.Kubeconfig, out.State.CACertificate, err = s.credentials(ctx, &prior)
	return out, err
}
