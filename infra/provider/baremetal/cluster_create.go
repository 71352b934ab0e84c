// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"strings"

	"github.com/pulumi/pulumi-go-provider/infer"
)

// Create makes the cluster, or goes on with one that was begun: what exists is
// found on the hosts, not in state.
func (c *Cluster) Create(ctx context.Context, req infer.CreateRequest[ClusterArgs]) (infer.CreateResponse[ClusterState], error) {
	out := infer.CreateResponse[ClusterState]{ID: req.Inputs.Name, Output: ClusterState{ClusterArgs: req.Inputs}}
	if req.DryRun {
		return out, nil
	}
	state, err := c.apply(ctx, req.Inputs, nil)
	if state != nil {
		out.Output = *state
	}
	return out, err
}

// Update brings the cluster to the inputs. In preview it decides on the live
// cluster, so that what would be refused is refused before anything is changed.
func (c *Cluster) Update(ctx context.Context, req infer.UpdateRequest[ClusterArgs, ClusterState]) (infer.UpdateResponse[ClusterState], error) {
	if req.DryRun {
		out := infer.UpdateResponse[ClusterState]{Output: req.State}
		out.Output.ClusterArgs = req.Inputs
		return out, c.preview(ctx, req.Inputs, &req.State)
	}
	state, err := c.apply(ctx, req.Inputs, &req.State)
	if state == nil {
		return infer.UpdateResponse[ClusterState]{Output: req.State}, err
	}
	return infer.UpdateResponse[ClusterState]{Output: *state}, err
}

func (c *Cluster) open(ctx context.Context, args ClusterArgs, prior *ClusterState) *session {
	s := newSession(c.Dialer, args, prior, progressFrom(ctx))
	s.warnings, s.notes = logs(ctx)
	return s
}

// preview shows the steps and refuses what cannot be done. A site that does
// not answer is no reason to refuse: then nothing is known.
func (c *Cluster) preview(ctx context.Context, args ClusterArgs, prior *ClusterState) error {
	s := c.open(ctx, args, prior)
	defer s.close()
	if err := s.look(ctx); err != nil {
		return err
	}
	if s.speaker == nil && s.unreachable() != nil {
		s.warn("the steps of this change are not known, because the cluster does not answer: %v", s.unreachable())
		return nil
	}
	for _, v := range s.hosts {
		if v.reached() && len(v.Probe.Units) > 0 {
			s.warn("the steps of this change are not known, because %s still runs on host %s, begun by an earlier update", strings.Join(v.Probe.Units, ", "), v.Host.Name)
			return nil
		}
	}
	steps, err := s.plan()
	if err != nil {
		return err
	}
	for _, v := range s.hosts {
		if !v.Former && v.Err != nil {
			s.warn("the update will refuse to start: %v", v.Err)
		}
	}
	if len(steps) > 0 {
		s.note(steps)
	}
	return nil
}

// apply reconciles and says what the cluster is then. The state is nil when
// nothing was changed. A failure after a change is an InitFailed, which keeps
// what exists in state, so that the next update continues.
func (c *Cluster) apply(ctx context.Context, args ClusterArgs, prior *ClusterState) (*ClusterState, error) {
	s := c.open(ctx, args, prior)
	defer s.close()
	failure := s.reconcile(ctx)
	if failure != nil && !s.touched {
		return nil, failure
	}
	state := &ClusterState{ClusterArgs: args}
	var before map[string]ClusterMember
	if prior != nil {
		before = prior.Members
		state.Kubeconfig, state.CACertificate = prior.Kubeconfig, prior.CACertificate
	}
	state.Members = s.members(before)
	if failure != nil {
		// Hosts that were to leave are still needed to finish their removal.
		for _, v := range s.hosts {
			if v.Former {
				state.Hosts = append(state.Hosts, v.Host)
			}
		}
		return state, infer.ResourceInitFailedError{Reasons: []string{failure.Error()}}
	}
	var err error
	state.Kubeconfig, state.CACertificate, err = s.credentials(ctx, prior)
	if err != nil {
		return state, infer.ResourceInitFailedError{Reasons: []string{err.Error()}}
	}
	return state, nil
}
