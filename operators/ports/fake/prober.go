// SPDX-License-Identifier: Apache-2.0

// Package fake stands in for the outside in tests.
package fake

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"spine.nhs.uk/controlplane/operators/ports"
)

// Prober answers what a test tells it to. The zero value is a program that works and has
// counted nothing. It is safe for concurrent use.
type Prober struct {
	mu      sync.Mutex
	failing map[string]string
	down    bool
	status  any
	asked   []ports.Target
}

// Fail makes deep probes of an address fail at a stage; an empty stage makes them pass
// again. The address "" stands for all.
func (p *Prober) Fail(address, stage string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failing == nil {
		p.failing = map[string]string{}
	}
	p.failing[address] = stage
}

// Down makes nothing answer at all, or all answer again.
func (p *Prober) Down(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

// Count sets what Status answers: any struct with JSON tags.
func (p *Prober) Count(status any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status = status
}

// Asked returns whom Deep was asked about so far, in order.
func (p *Prober) Asked() []ports.Target {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]ports.Target(nil), p.asked...)
}

// Deep implements ports.Prober.
func (p *Prober) Deep(_ context.Context, t ports.Target) (ports.DeepResult, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, t)
	if p.down {
		return ports.DeepResult{}, &ports.UnreachableError{Target: t, Err: errors.New("down")}
	}
	for _, address := range []string{t.Address, ""} {
		if stage := p.failing[address]; stage != "" {
			return ports.DeepResult{Stages: []ports.Stage{{Name: stage, Error: "made to fail"}}}, nil
		}
	}
	return ports.DeepResult{OK: true, Stages: []ports.Stage{{Name: "ledger", OK: true}}}, nil
}

// Status implements ports.Prober.
func (p *Prober) Status(_ context.Context, t ports.Target, into any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return &ports.UnreachableError{Target: t, Err: errors.New("down")}
	}
	raw, err := json.Marshal(p.status)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}
