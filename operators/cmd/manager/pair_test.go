// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package main

import (
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	resilience "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/ports"
)

func TestPair(t *testing.T) {
	p := startPair(t)
	t.Run("planned, and back", func(t *testing.T) { p.fresh(t, common.AcknowledgeBothSites); p.thereAndBack() })
	t.Run("a site is lost, both hold all", func(t *testing.T) { p.fresh(t, common.AcknowledgeBothSites); p.automatic() })
	t.Run("a site is lost, and work with it", func(t *testing.T) { p.fresh(t, common.AcknowledgeSite); p.lossy() })
	t.Run("only the link is cut", func(t *testing.T) { p.fresh(t, common.AcknowledgeBothSites); p.alone() })
	t.Run("the witness is away", func(t *testing.T) { p.fresh(t, common.AcknowledgeSite); p.promised() })
	t.Run("who may say what", func(t *testing.T) { p.fresh(t, common.AcknowledgeBothSites); p.admission() })
	t.Run("killed again and again", func(t *testing.T) { p.T = t; p.killed() })
	t.Run("a handover that ends half way", func(t *testing.T) { p.fresh(t, common.AcknowledgeBothSites); p.halfWay() })
}

// begin has the first vote, and both sites as they should be.
func (p *pair) begin() (east, west *half) {
	p.Helper()
	east, west = p.halves[0], p.halves[1]
	p.until(30, "ready to take over", func() bool {
		return p.serves(east) && p.takeover(west) == common.ReasonTakeoverReady && p.takeover(east) == common.ReasonTakeoverReady
	})
	// Nobody has failed over yet: it is the site that serves which sends clients to itself.
	if d, _ := p.traffic.Read(p.Context()); d.Site != east.name {
		p.Errorf("clients are sent to %q before the first failover, want %q", d.Site, east.name)
	}
	return east, west
}

func (p *pair) takeover(h *half) string {
	for _, c := range p.policyOf(h).Status.Conditions {
		if c.Type == common.ConditionTakeover {
			return c.Reason
		}
	}
	return ""
}

func (p *pair) ended(h *half, o *resilience.Failover) func() bool {
	return func() bool { return p.look(h, o).Status.Phase.Ended() }
}

func (p *pair) succeeded(h *half, o *resilience.Failover) {
	p.Helper()
	if o.Status.Phase != resilience.PhaseSucceeded {
		p.Fatalf("%s: %s: %s", o.Name, o.Status.Phase, o.Status.Message)
	}
	if !p.serves(h) {
		p.Fatalf("%s succeeded, and site %s does not serve", o.Name, h.name)
	}
	if d, _ := p.traffic.Read(p.Context()); d.Site != h.name {
		p.Errorf("clients are sent to %q", d.Site)
	}
}

func (p *pair) thereAndBack() {
	east, west := p.begin()
	for i, to := range []*half{west, east} {
		from := p.halves[i]
		term := p.policyOf(to).Spec.Term.Duration
		o := p.ask(to, []string{"there", "back"}[i], resilience.FailoverSpec{Mode: resilience.FailoverPlanned})
		p.really(to, o)
		p.until(60, "ended", p.ended(to, o))
		p.succeeded(to, o)
		// A program that starts acknowledges nothing before a look finds it.
		if next := p.nextLook(to); next != time.Second {
			p.Errorf("it looks again %s after the vote came: want 1s", next)
		}
		if loss := o.Status.Evidence.MeasuredLoss; loss == nil || *loss != (resilience.Loss{}) {
			p.Errorf("loss: %+v", loss)
		}
		if token := p.service(to).Annotations[common.PromotionTokenAnnotation]; !strings.HasPrefix(token, "token-"+from.name) {
			p.Errorf("promoted by %q: expected the other site's token", token)
		}
		p.until(20, "followed", func() bool {
			return p.takeover(to) == common.ReasonTakeoverReady && p.policyOf(from).Status.Role == common.SiteStandby
		})
		if m := p.service(from); m.Annotations[common.RoleAnnotation] != string(common.SiteStandby) {
			p.Errorf("site %s is %s", from.name, m.Annotations[common.RoleAnnotation])
		}
		p.rest()
		if next := p.nextLook(to); next != term/6 {
			p.Errorf("it looks again after %s, long after the vote came: want %s", next, term/6)
		}
	}
}

func (p *pair) automatic() {
	east, west := p.begin()
	p.kill(east)
	took := p.until(40, "taken over", func() bool { return p.serves(west) })
	p.Logf("taken over without hands %s after the site was lost", took)
	if took > time.Minute {
		p.Errorf("it took %s: at most a minute is expected", took)
	}
	var list resilience.FailoverList
	p.must(west.cluster.Client.List(p.Context(), &list))
	if len(list.Items) != 1 {
		p.Fatalf("%d failovers", len(list.Items))
	}
	o := &list.Items[0]
	p.until(20, "ended", p.ended(west, o))
	p.succeeded(west, o)
	if o.Status.Plan.PredictedLoss != (resilience.Loss{}) {
		p.Errorf("predicted %+v", o.Status.Plan.PredictedLoss)
	}
	// The site comes back, as it was: it finds another vote, and stops.
	east.dead = false
	p.link(true)
	p.until(10, "stopped", func() bool { return p.policyOf(east).Status.Role == common.SiteQuiesced })
	if reason := p.takeover(east); reason != common.ReasonVoteLost || p.serves(east) {
		p.Errorf("reason %s", reason)
	}
	// Once its database was replaced (ResyncStandby), it stands by like any other.
	m := p.service(east)
	order, err := common.Order(m.Annotations, m.Spec.Site)
	p.must(err)
	if order.Alone {
		p.Errorf("it waited for both sites to the end, and its order says %+v", order)
	}
	before := client.MergeFrom(m.DeepCopy())
	m.Annotations[common.RoleAnnotation] = string(common.SiteStandby)
	p.must(east.policy.Client.Patch(p.Context(), m, before))
	p.until(20, "ready to take over again", func() bool {
		return p.policyOf(east).Status.Role == common.SiteStandby && p.takeover(east) == common.ReasonTakeoverReady && p.takeover(west) == common.ReasonTakeoverReady
	})
}

func (p *pair) lossy() {
	p.lag = 4 * time.Second
	east, west := p.halves[0], p.halves[1]
	p.until(10, "serving", func() bool { return p.serves(east) && p.policyOf(west).Status.Peer.HeldAllAt != nil })
	p.kill(east)
	none := p.ask(west, "no-loss", resilience.FailoverSpec{Mode: resilience.FailoverUnplanned, AcceptUnknownLoss: &resilience.AcceptUnknownLoss{Reason: "the duty manager agreed"}})
	p.until(3, "planned", func() bool { return p.look(west, none).Status.Phase != "" })
	if !blocked(none, resilience.ReasonSourceServing) {
		p.Errorf("while the vote may hold: %+v", none.Status.Blockers)
	}
	p.until(20, "over the limit", func() bool {
		p.look(west, none)
		return blocked(none, resilience.ReasonLossOverLimit) && !blocked(none, resilience.ReasonSourceServing)
	})
	o := p.ask(west, "some-loss", resilience.FailoverSpec{
		Mode: resilience.FailoverUnplanned, MaxLoss: &resilience.LossLimit{Seconds: 60}, AcceptUnknownLoss: none.Spec.AcceptUnknownLoss,
	})
	p.really(west, o)
	p.until(60, "ended", p.ended(west, o))
	p.succeeded(west, o)
	if s := o.Status.Plan.PredictedLoss.Seconds; s < 4 || s > 60 {
		p.Errorf("predicted %d s", s)
	}
	if o.Status.Evidence.MeasuredLoss != nil || !strings.Contains(strings.Join(o.Status.Evidence.Notes, " "), "doubtful") {
		p.Errorf("evidence: %+v", o.Status.Evidence)
	}
}

func blocked(o *resilience.Failover, reason string) bool {
	for _, b := range o.Status.Blockers {
		if b.Reason == reason {
			return true
		}
	}
	return false
}

func (p *pair) alone() {
	east, west := p.begin()
	p.link(false)
	p.until(30, "alone", func() bool { return p.serves(east) })
	if v, _ := p.witness.Read(p.Context()); !v.Alone || v.Site != "east" {
		p.Errorf("vote %+v", v)
	}
	for range 30 {
		p.step()
		if !p.serves(east) || p.serves(west) {
			p.Fatal("neither, or the wrong one, serves")
		}
	}
	if permit := east.permits.Given("10.1.0.1:8446"); permit.Endless {
		p.Error("alone, and its permit has no end")
	}
	// Another site that took over now would find work here that nobody else has, and the site says so when it is back.
	vote, _ := p.witness.Read(p.Context())
	east.dead = true
	p.clock.Step(time.Minute)
	p.witness.Put(ports.Vote{Site: "west", Epoch: vote.Epoch + 1, Until: p.clock.Now().Add(time.Minute)})
	east.dead = false
	p.until(10, "stopped", func() bool { return p.policyOf(east).Status.Role == common.SiteQuiesced })
	if a := p.service(east).Annotations; a[common.AcknowledgeAnnotation] != string(common.AcknowledgeSite) {
		p.Errorf("it acknowledged alone, and does not say so: %v", a)
	}
	p.witness.Put(ports.Vote{Site: "east", Epoch: vote.Epoch + 2, Alone: true, Until: p.clock.Now().Add(time.Minute)})
	p.link(true)
	p.until(30, "both again", func() bool { v, _ := p.witness.Read(p.Context()); return !v.Alone && p.serves(east) })
}

func (p *pair) promised() {
	east, west := p.halves[0], p.halves[1]
	p.until(10, "serving", func() bool { return p.serves(east) })
	p.witness.Silence(true)
	for range 40 {
		p.step()
		if !p.serves(east) {
			p.Fatal("it stopped, although the other site answers")
		}
	}
	// Without either of them it has to stop before its word runs out.
	p.link(false)
	p.until(8, "stopped", func() bool { return !p.serves(east) })
	p.witness.Silence(false)
	p.until(10, "back", func() bool { return p.serves(east) || p.serves(west) })
}

func (p *pair) halfWay() {
	east, west := p.begin()
	o := p.ask(west, "half-way", resilience.FailoverSpec{Mode: resilience.FailoverPlanned})
	p.really(west, o)
	p.until(40, "handed over", func() bool { return p.policyOf(east).Status.HandedOver != "" })
	o = p.look(west, o)
	o.Spec.Abort = true
	p.must(p.alice(west).Update(p.Context(), o))
	p.until(20, "aborted", p.ended(west, o))
	if o.Status.Phase != resilience.PhaseAborted {
		p.Fatalf("%s: %s", o.Status.Phase, o.Status.Message)
	}
	took := p.until(150, "back", func() bool { return p.serves(east) })
	if took > 30*time.Second {
		p.Errorf("the site that had handed over served again only after %s", took)
	}
	// Whoever handed over serves again by itself, too, when nobody can withdraw what was asked.
	o = p.ask(west, "lost-half-way", resilience.FailoverSpec{Mode: resilience.FailoverPlanned})
	p.rest()
	p.until(20, "ready again", func() bool { return p.takeover(west) == common.ReasonTakeoverReady })
	p.really(west, o)
	p.until(40, "handed over", func() bool { return p.policyOf(east).Status.HandedOver != "" })
	p.kill(west)
	took = p.until(150, "back", func() bool { return p.serves(east) })
	p.Logf("without the site that it handed over to, it served again after %s", took)
}
