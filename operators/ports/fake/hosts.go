// SPDX-License-Identifier: Apache-2.0

package fake

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"spine.nhs.uk/controlplane/operators/ports"
)

// Power switches machines that exist in a test only. Hosts that no test has set are not in
// its inventory. It is safe for concurrent use.
type Power struct {
	mu       sync.Mutex
	machines map[string]*ports.Machine
	problems map[string]error
	stuck    map[string]bool
	done     []string
}

// Set a host's machine; its name is the machine's host name.
func (p *Power) Set(host string, power ports.PowerState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.machines == nil {
		p.machines, p.problems, p.stuck = map[string]*ports.Machine{}, map[string]error{}, map[string]bool{}
	}
	p.machines[host] = &ports.Machine{Power: power, HostName: host}
}

// Rename lets a host's controller say that it manages another machine.
func (p *Power) Rename(host, name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.machines[host].HostName = name
}

// Fail makes every question about a host end in that error; nil ends it.
func (p *Power) Fail(host string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.problems[host] = err
}

// Stick lets a host's controller take every order and carry none out, or all again.
func (p *Power) Stick(host string, stuck bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stuck[host] = stuck
}

// Done returns what was switched so far, as "off a" and "on a", in order.
func (p *Power) Done() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.done)
}

// Hosts implements ports.Power.
func (p *Power) Hosts() ([]string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.machines)), nil
}

// State implements ports.Power.
func (p *Power) State(_ context.Context, host string) (ports.Machine, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.problem(host); err != nil {
		return ports.Machine{}, err
	}
	return *p.machines[host], nil
}

// ForceOff implements ports.Power.
func (p *Power) ForceOff(_ context.Context, host string) error {
	return p.set(host, ports.PowerOff, "off ")
}

// On implements ports.Power.
func (p *Power) On(_ context.Context, host string) error { return p.set(host, ports.PowerOn, "on ") }

func (p *Power) set(host string, state ports.PowerState, what string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.problem(host); err != nil {
		return err
	}
	if !p.stuck[host] {
		p.machines[host].Power = state
	}
	p.done = append(p.done, what+host)
	return nil
}

// problem of a host; the caller holds the lock.
func (p *Power) problem(host string) error {
	if p.machines[host] == nil {
		return &ports.UnmanagedError{Host: host}
	}
	return p.problems[host]
}

// Silent is the error of a controller that does not answer.
func Silent(host string) error {
	return &ports.SilentControllerError{Host: host, Err: errors.New("made to be silent")}
}

// HostProber answers what a test tells it to. Hosts that no test has set are well. It is
// safe for concurrent use.
type HostProber struct {
	mu    sync.Mutex
	reach map[string]ports.HostReach
}

// Set what comes back from an address.
func (p *HostProber) Set(address string, kubelet, ssh ports.Reach) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reach == nil {
		p.reach = map[string]ports.HostReach{}
	}
	p.reach[address] = ports.HostReach{Kubelet: kubelet, SSH: ssh}
}

// Probe implements ports.HostProber.
func (p *HostProber) Probe(_ context.Context, address string) ports.HostReach {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r, ok := p.reach[address]; ok {
		return r
	}
	return ports.HostReach{Kubelet: ports.ReachServes, SSH: ports.ReachServes}
}
