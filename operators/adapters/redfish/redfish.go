// SPDX-License-Identifier: Apache-2.0

// Package redfish switches hosts by their management controllers: the ComputerSystem of
// DMTF's Redfish (DSP0266, DSP2046) over verified TLS. It needs four requests of the
// protocol and makes them itself: each question is one connection, links that a controller
// gives are followed on that controller only, and answers are bounded.
package redfish

import (
	"context"
	"maps"
	"slices"
	"time"

	"spine.nhs.uk/controlplane/operators/ports"
)

// limit of one question, logins included. A controller may take seconds to cut the power.
const limit = 15 * time.Second

// Power is a ports.Power. It reads its inventory anew for every question, so that a changed
// one counts at once. It is safe for concurrent use.
type Power struct {
	dir string
}

// New returns a Power with the inventory (InventoryFile) in dir. It need not exist yet.
func New(dir string) *Power { return &Power{dir: dir} }

// Hosts implements ports.Power.
func (p *Power) Hosts() ([]string, error) {
	inventory, err := read(p.dir)
	if err != nil {
		return nil, &ports.UnmanagedError{Err: err}
	}
	names := map[string]bool{}
	for _, c := range inventory.Hosts {
		names[c.Name] = true
	}
	return slices.Sorted(maps.Keys(names)), nil
}

// State implements ports.Power.
func (p *Power) State(ctx context.Context, host string) (ports.Machine, error) {
	var machine ports.Machine
	err := p.ask(ctx, host, func(ctx context.Context, s *session) error {
		system, err := s.system(ctx)
		if err != nil {
			return err
		}
		machine = ports.Machine{Power: powerState(system.PowerState), UUID: system.UUID, HostName: system.HostName}
		return nil
	})
	return machine, err
}

// powerState: what is neither on nor off says nothing.
func powerState(text string) ports.PowerState {
	switch text {
	case "On":
		return ports.PowerOn
	case "Off":
		return ports.PowerOff
	}
	return ports.PowerChanging
}

// ForceOff implements ports.Power.
func (p *Power) ForceOff(ctx context.Context, host string) error {
	return p.reset(ctx, host, "ForceOff")
}

// On implements ports.Power.
func (p *Power) On(ctx context.Context, host string) error { return p.reset(ctx, host, "On") }

func (p *Power) reset(ctx context.Context, host, kind string) error {
	return p.ask(ctx, host, func(ctx context.Context, s *session) error {
		system, err := s.system(ctx)
		if err != nil {
			return err
		}
		return s.reset(ctx, system, kind)
	})
}

// ask opens a session with the host's controller for one question.
func (p *Power) ask(ctx context.Context, host string, question func(context.Context, *session) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	inventory, err := read(p.dir)
	if err != nil {
		return &ports.UnmanagedError{Host: host, Err: err}
	}
	controller := inventory.find(host)
	if controller == nil {
		return &ports.UnmanagedError{Host: host}
	}
	s, err := open(ctx, inventory.Authority, *controller)
	if err != nil {
		return err
	}
	defer s.close(context.WithoutCancel(ctx))
	return question(ctx, s)
}
