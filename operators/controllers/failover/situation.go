// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"context"
	"time"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	decide "spine.nhs.uk/controlplane/operators/decide/failover"
	"spine.nhs.uk/controlplane/operators/ports"
)

// situation is what decisions rest on, as it was read in one go.
type situation struct {
	// now is the time before anything was read.
	now time.Time
	// policy of this site.
	policy *api.FailoverPolicy
	// own services, in the policy's order.
	own []*paired
	// vote on record; nil: the witness did not answer.
	vote *decide.Vote
	// other site; nil: it did not answer.
	other *ports.PeerSite
}

// ask the witness; nil when it does not answer.
func ask(ctx context.Context, w ports.Witness) *decide.Vote {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	v, err := w.Read(ctx)
	if err != nil {
		return nil
	}
	vote := decide.Vote(v)
	return &vote
}

// visit the other site; nil when it does not answer in time.
func visit(ctx context.Context, p ports.Peer, policy *api.FailoverPolicy, limit time.Duration) *ports.PeerSite {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	other, err := p.Look(ctx, policy.Spec.Services)
	if err != nil {
		return nil
	}
	return &other
}

// take is what this site knows when an operation wants the vote.
func (s *situation) take(operation string) decide.Take {
	t := decide.Take{
		Now: s.now, Me: string(s.policy.Spec.Site), Peer: string(s.policy.Spec.Peer), Skew: s.policy.Spec.ClockSkew.Duration, Vote: s.vote,
	}
	promise, err := s.policy.PromiseOf()
	if err != nil && s.vote != nil {
		// Somebody was promised something, and it cannot be read: the longest that could be.
		promise = api.Promise{Epoch: s.vote.Epoch, Until: s.now.Add(s.policy.Spec.Term.Duration)}
	}
	t.Promise = promise
	if s.other == nil || s.vote == nil || operation == "" {
		return t
	}
	h, err := s.other.Policy.HandoverOf()
	if err == nil && h != nil && h.Operation == operation && h.Epoch == s.vote.Epoch && s.other.Policy.Status.HandedOver == operation {
		t.Granted, t.GrantedUntil = s.other.Policy.Status.Role, h.Until
	}
	return t
}

// failover is what a plan of an operation rests on; none has a name before it is asked for.
func (s *situation) failover(operation string, spec *api.FailoverSpec) decide.Failover {
	f := decide.Failover{
		Take: s.take(operation), Mode: spec.Mode, To: string(spec.To), AcceptUnknown: spec.AcceptUnknownLoss != nil,
		PeerReachable: s.other != nil, Following: s.following(),
	}
	if spec.MaxLoss != nil {
		f.Limit = *spec.MaxLoss
	}
	for _, p := range s.own {
		f.Members = append(f.Members, p.member())
	}
	return f
}

// following is what this site remembers of what it has.
func (s *situation) following() decide.Following {
	peer := s.policy.Status.Peer
	return decide.Following{HeldAllAt: at(peer.HeldAllAt), PerSecond: peer.PerSecond, Measured: peer.PerSecond > 0}
}
