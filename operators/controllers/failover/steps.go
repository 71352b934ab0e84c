// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	decide "spine.nhs.uk/controlplane/operators/decide/failover"
	"spine.nhs.uk/controlplane/operators/kit"
	"spine.nhs.uk/controlplane/operators/kit/operation"
	"spine.nhs.uk/controlplane/operators/ports"
)

// handoverFor is how long the other site keeps to what it was asked for: a step, and the
// taking of the vote after it. Then it serves again, unless the vote has gone.
const handoverFor = 6 * time.Minute

// handOver asks the other site to take a role, if it answers.
func (a *action) handOver(ctx context.Context, s *situation, role common.SiteRole) error {
	switch {
	case s.vote == nil:
		return errors.New("the witness does not answer")
	case s.vote.Site != string(s.policy.Spec.Peer):
		return nil // it is not active any more
	case s.other == nil && a.operation.Spec.Mode == api.FailoverUnplanned:
		return nil // it cannot be asked: its vote has to run out
	case s.other == nil:
		return errors.New("site " + string(s.policy.Spec.Peer) + " does not answer")
	}
	return a.Peer.Ask(ctx, s.other.Policy, api.Handover{
		Operation: a.operation.Name, Epoch: s.vote.Epoch, Role: role, Finish: a.operation.Spec.Mode == api.FailoverPlanned,
		Until: s.now.Add(handoverFor).UTC().Truncate(time.Second),
	})
}

func (a *action) stopped(_ context.Context, s *situation) (operation.Progress, error) {
	if err := a.same(s); err != nil {
		return operation.Progress{}, err
	}
	t := s.take(a.operation.Name)
	if a.operation.Spec.Mode == api.FailoverPlanned {
		// That its vote has run out is not enough: it has to be there to hand over.
		done := t.Granted == common.SiteQuiesced || t.Granted == common.SiteStandby
		return operation.Progress{Done: done, Message: "site " + t.Peer + " stops its programs, which finish what they have begun"}, nil
	}
	done, why := t.Stopped()
	return operation.Progress{Done: done, Message: why}, nil
}

func (a *action) demoted(_ context.Context, s *situation) (operation.Progress, error) {
	if err := a.same(s); err != nil {
		return operation.Progress{}, err
	}
	t := s.take(a.operation.Name)
	if t.Granted != common.SiteStandby {
		return operation.Progress{Message: "the databases of site " + t.Peer + " become standbys"}, nil
	}
	if _, err := tokens(s); err != nil {
		return operation.Progress{Message: err.Error()}, nil
	}
	return operation.Progress{Done: true, Message: "the databases of site " + t.Peer + " have said exactly what they hold"}, nil
}

// tokens that the other site gave, one for each service of this site.
func tokens(s *situation) ([]api.PromotionToken, error) {
	var out []api.PromotionToken
	for _, p := range s.own {
		for _, one := range s.other.Policy.Status.Tokens {
			if one.Service == p.name {
				out = append(out, one)
			}
		}
	}
	if len(out) != len(s.own) {
		return nil, fmt.Errorf("site %s has given %d of %d tokens", s.policy.Spec.Peer, len(out), len(s.own))
	}
	return out, nil
}

// takeVote first puts on this site's record that it promises nothing any more, looks at what
// it had promised until then, and swaps the vote.
func (a *action) takeVote(ctx context.Context, s *situation) error {
	if s.vote == nil {
		return errors.New("the witness does not answer")
	}
	if s.vote.Site == string(s.policy.Spec.Site) {
		return nil
	}
	taking := &api.Taking{Epoch: s.vote.Epoch + 1, Operation: a.operation.Name}
	if a.operation.Spec.Mode == api.FailoverPlanned {
		if s.other == nil {
			return errors.New("site " + string(s.policy.Spec.Peer) + " does not answer")
		}
		var err error
		if taking.Tokens, err = tokens(s); err != nil {
			return err
		}
	}
	before := s.policy.DeepCopy()
	s.policy.Status.Taking = taking
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := a.Client.Status().Patch(ctx, s.policy, patch, client.FieldOwner(kit.FieldOwner)); err != nil {
		return fmt.Errorf("the record that the vote is being taken: %w", err)
	}
	t := s.take(a.operation.Name)
	if stopped, why := t.Stopped(); !stopped {
		return errors.New(why)
	}
	next := t.Next(s.policy.Spec.Term.Duration)
	next.Until = next.Until.UTC().Truncate(time.Millisecond)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return a.Witness.Swap(ctx, ports.Vote(*s.vote), ports.Vote(next))
}

func (a *action) voted(_ context.Context, s *situation) (operation.Progress, error) {
	switch {
	case s.vote == nil:
		return operation.Progress{Message: "the witness does not answer"}, nil
	case s.vote.Site == string(s.policy.Spec.Site):
		return operation.Progress{Done: true, Message: fmt.Sprintf("the witness has site %s on record, epoch %d", s.vote.Site, s.vote.Epoch)}, nil
	}
	return operation.Progress{NotActed: true, Message: "the witness still has site " + s.vote.Site + " on record"}, a.same(s)
}

func promoted(s *situation) (operation.Progress, error) {
	if s.vote != nil && s.vote.Site != string(s.policy.Spec.Site) {
		return operation.Progress{}, operation.Failed("the witness has site %s on record by now (epoch %d): this site must not serve", s.vote.Site, s.vote.Epoch)
	}
	for _, p := range s.own {
		if p.order.Role != common.SiteActive || !p.done() {
			return operation.Progress{Message: fmt.Sprintf("%s is %q on its way to Active", p.name, p.status.Role)}, nil
		}
	}
	return operation.Progress{Done: true, Message: "all databases accept writes, and all programs serve"}, nil
}

// send clients to this site, which has the vote.
func (a *action) send(ctx context.Context, s *situation) error {
	if s.vote == nil || s.vote.Site != string(s.policy.Spec.Site) {
		return errors.New("this site is not known to have the vote: no clients are sent to it")
	}
	return a.Traffic.Send(ctx, s.vote.Site, s.vote.Epoch)
}

func (a *action) moved(ctx context.Context, s *situation) (operation.Progress, error) {
	d, err := a.Traffic.Read(ctx)
	if err != nil {
		return operation.Progress{}, err
	}
	if d.Site != string(s.policy.Spec.Site) {
		return operation.Progress{Message: fmt.Sprintf("clients are sent to site %q", d.Site)}, nil
	}
	return operation.Progress{Done: true, Message: fmt.Sprintf("clients are sent to site %s; those with an old answer follow within %s", d.Site, d.Stay)}, nil
}

// account says what was lost, as far as it is known.
func (a *action) account(s *situation, evidence *api.Evidence) {
	if evidence.PredictedLoss == (api.Loss{}) {
		evidence.MeasuredLoss = &api.Loss{}
		evidence.Notes = append(evidence.Notes, "nothing that was acknowledged was lost: this site held all of it before it took the vote")
		return
	}
	had := "at no known time"
	if at := s.policy.Status.Peer.HeldAllAt; at != nil {
		had = "last at " + at.UTC().Format(time.RFC3339)
	}
	evidence.Notes = append(evidence.Notes, fmt.Sprintf(
		"doubtful: what site %s acknowledged after this site had all of it (%s), at most %s: once that site is back, CompareSites lists there what it alone has",
		s.policy.Spec.Peer, had, decide.Words(evidence.PredictedLoss)))
	if unknown := a.operation.Spec.AcceptUnknownLoss; unknown != nil {
		evidence.Notes = append(evidence.Notes, "an unknown loss was accepted: "+unknown.Reason)
	}
}
