// SPDX-License-Identifier: Apache-2.0

package fake

import (
	"context"
	"errors"
	"sync"

	resilience "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/ports"
)

// mute is what may be silent.
type mute struct {
	mu     sync.Mutex
	silent bool
}

// Silence makes it not answer, or answer again.
func (m *mute) Silence(silent bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.silent = silent
}

// Witness is a register in memory. The zero value has no vote. It is safe for concurrent use.
type Witness struct {
	mute
	vote ports.Vote
	lost bool
}

var errSilent = errors.New("silent")

// LoseAnswer makes the answer to the next swap get lost, which is done all the same.
func (w *Witness) LoseAnswer() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = true
}

// Put a vote on record, whatever was there.
func (w *Witness) Put(v ports.Vote) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.vote = v
}

// Read implements ports.Witness.
func (w *Witness) Read(context.Context) (ports.Vote, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.silent {
		return ports.Vote{}, &ports.WitnessError{Err: errSilent}
	}
	return w.vote, nil
}

// Swap implements ports.Witness.
func (w *Witness) Swap(_ context.Context, old, next ports.Vote) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.silent:
		return &ports.WitnessError{Err: errSilent}
	case w.vote.Site != old.Site || w.vote.Epoch != old.Epoch || w.vote.Alone != old.Alone || !w.vote.Until.Equal(old.Until):
		return ports.ErrVoteChanged
	}
	w.vote = next
	if w.lost {
		w.lost = false
		return &ports.WitnessError{Err: errSilent}
	}
	return nil
}

// Traffic keeps in memory where clients are sent. It is safe for concurrent use.
type Traffic struct {
	mute
	site  string
	epoch int64
}

// Read implements ports.TrafficDirector.
func (t *Traffic) Read(context.Context) (ports.Direction, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.silent {
		return ports.Direction{}, &ports.TrafficError{Err: errSilent}
	}
	return ports.Direction{Site: t.site}, nil
}

// Send implements ports.TrafficDirector.
func (t *Traffic) Send(_ context.Context, site string, epoch int64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.silent || epoch < t.epoch {
		return &ports.TrafficError{Err: errSilent}
	}
	t.site, t.epoch = site, epoch
	return nil
}

// Permits remembers what programs were told; they heed no epoch older than the last. It is safe for concurrent use.
type Permits struct {
	mu    sync.Mutex
	given map[string]ports.Permit
	deaf  map[string]bool
}

// Deafen makes the program at an address not answer, or answer again.
func (p *Permits) Deafen(address string, deaf bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.deaf == nil {
		p.deaf = map[string]bool{}
	}
	p.deaf[address] = deaf
}

// Given is what the program at an address was last told.
func (p *Permits) Given(address string) ports.Permit {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.given[address]
}

// Permit implements ports.Permits.
func (p *Permits) Permit(_ context.Context, t ports.Target, permit ports.Permit) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.deaf[t.Address] {
		return &ports.UnreachableError{Target: t, Err: errors.New("deaf")}
	}
	if permit.Epoch < p.given[t.Address].Epoch {
		return &ports.AnswerError{Target: t, Problem: "/permit with status 409"}
	}
	if p.given == nil {
		p.given = map[string]ports.Permit{}
	}
	p.given[t.Address] = permit
	return nil
}

// Peer is the other site in memory; it takes what it is asked for and changes nothing. It is safe for concurrent use.
type Peer struct {
	mute
	site ports.PeerSite
}

// Show is what the site is like from now on.
func (p *Peer) Show(site ports.PeerSite) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.site = site
}

// Look implements ports.Peer.
func (p *Peer) Look(context.Context, []resilience.PairedService) (ports.PeerSite, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.site, p.answer()
}

// Ask implements ports.Peer.
func (p *Peer) Ask(context.Context, *resilience.FailoverPolicy, resilience.Handover) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.answer()
}

// Promise implements ports.Peer.
func (p *Peer) Promise(context.Context, *resilience.FailoverPolicy, resilience.Promise) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.answer()
}

func (p *Peer) answer() error {
	if p.silent {
		return &ports.PeerError{Err: errSilent}
	}
	return nil
}
