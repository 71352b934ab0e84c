// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package main

import (
	"context"
	"fmt"
	"runtime"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	resilience "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/ports"
)

// scythe ends the goroutine of a manager before or after every so-manieth write of anything,
// counted from an offset, a few times: a manager that always dies at the same point gets nowhere.
type scythe struct{ every, offset, writes, deaths int }

const maxDeaths = 5

func (s *scythe) write(do func() error) error {
	s.swing()
	err := do()
	s.swing()
	return err
}

func (s *scythe) swing() {
	if s.writes++; s.writes%s.every == s.offset && s.deaths < maxDeaths {
		s.deaths++
		runtime.Goexit()
	}
}

// mortal is a client whose manager may be killed at any write.
type mortal struct {
	client.Client
	s *scythe
}

func (m mortal) Patch(ctx context.Context, o client.Object, p client.Patch, opts ...client.PatchOption) error {
	return m.s.write(func() error { return m.Client.Patch(ctx, o, p, opts...) })
}

func (m mortal) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	return m.s.write(func() error { return m.Client.Create(ctx, o, opts...) })
}

func (m mortal) Update(ctx context.Context, o client.Object, opts ...client.UpdateOption) error {
	return m.s.write(func() error { return m.Client.Update(ctx, o, opts...) })
}

func (m mortal) Status() client.SubResourceWriter { return mortalStatus{m.Client.Status(), m.s} }

type mortalStatus struct {
	client.SubResourceWriter
	s *scythe
}

func (m mortalStatus) Patch(ctx context.Context, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
	return m.s.write(func() error { return m.SubResourceWriter.Patch(ctx, o, p, opts...) })
}

// mortalWitness, mortalPeer and mortalTraffic are the writes outside the site.
type mortalWitness struct {
	ports.Witness
	s *scythe
}

func (m mortalWitness) Swap(ctx context.Context, old, next ports.Vote) error {
	return m.s.write(func() error { return m.Witness.Swap(ctx, old, next) })
}

type mortalPeer struct {
	ports.Peer
	s *scythe
}

func (m mortalPeer) Ask(ctx context.Context, read *resilience.FailoverPolicy, h resilience.Handover) error {
	return m.s.write(func() error { return m.Peer.Ask(ctx, read, h) })
}

type mortalTraffic struct {
	ports.TrafficDirector
	s *scythe
}

func (m mortalTraffic) Send(ctx context.Context, site string, epoch int64) error {
	return m.s.write(func() error { return m.TrafficDirector.Send(ctx, site, epoch) })
}

// haunt makes the manager of a site mortal, and a new one take its place at once: nothing is
// kept in memory that it would miss.
func (p *pair) haunt(h *half, s *scythe) {
	p.staff(h, func(c client.Client) client.Client { return mortal{c, s} })
	h.policy.Witness, h.work.Witness = mortalWitness{h.policy.Witness, s}, mortalWitness{h.work.Witness, s}
	h.work.Peer, h.work.Traffic = mortalPeer{h.work.Peer, s}, mortalTraffic{h.work.Traffic, s}
}

// alive runs what a manager does; nothing of it returns when it is killed.
func (p *pair) alive(do func(context.Context, reconcile.Request) (reconcile.Result, error), key client.ObjectKey) {
	p.Helper()
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, err = do(p.Context(), reconcile.Request{NamespacedName: key})
	}()
	<-ended
	p.must(err)
}

// killed has the manager of the site that hands over, then that of the one that takes over, die
// at every seventh point before or after a write, up to five times in a failover, from each of
// seven offsets. It ends well all the same.
func (p *pair) killed() {
	const every = 7
	t := p.T
	for side, name := range []string{"hands over", "takes over"} {
		deaths := 0
		for offset := range every {
			s := &scythe{every: every, offset: offset}
			p.fresh(t, common.AcknowledgeBothSites)
			_, west := p.begin()
			o := p.ask(west, fmt.Sprintf("killed-%d-%d", side, offset), resilience.FailoverSpec{Mode: resilience.FailoverPlanned})
			p.until(20, "planned", func() bool { return p.look(west, o).Status.Phase == resilience.PhasePlanned })
			p.haunt(p.halves[side], s)
			p.really(west, o)
			p.until(100, "ended", p.ended(west, o))
			p.succeeded(west, o)
			deaths += s.deaths
		}
		if deaths < 2*every {
			p.Errorf("the manager of the site that %s died %d times: too few to prove anything", name, deaths)
		}
		p.Logf("the manager of the site that %s died %d times in %d failovers", name, deaths, every)
	}
}
