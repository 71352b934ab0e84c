// SPDX-License-Identifier: Apache-2.0

package hostfailure

import (
	"maps"
	"slices"
	"time"
)

// Sighting is what one look saw of one host.
type Sighting struct {
	// Name of its node.
	Name string
	// Renewed is what its lease says. Only its change counts: hosts' clocks may differ.
	Renewed time.Time
	// Ready, Cordoned and Fenced as of its node.
	Ready, Cordoned, Fenced bool
	// Kubelet and SSH daemon, as the manager reached them.
	Kubelet, SSH Reach
	// Managed hosts have a management controller; Power is what it said in this look.
	Managed bool
	Power   Power
}

// Memory turns sightings into how long something has been so. The zero value has seen
// nothing. It is not safe for concurrent use.
type Memory struct {
	began, looked, api time.Time
	hosts              map[string]*past
}

// past of one host. Zero times: it is not so.
type past struct {
	seen                     Sighting
	moved                    time.Time
	silent, mute, deaf, said time.Time
}

// Look takes in what was seen at one time. Without an answer of the API (api is false) the
// sightings' parts of it are left alone, and hosts that were known before stay known.
func (m *Memory) Look(now time.Time, api bool, seen []Sighting) {
	if m.hosts == nil || now.Sub(m.looked) > forgetAfter || now.Before(m.looked) {
		*m = Memory{began: now, api: now, hosts: map[string]*past{}}
	}
	m.looked = now
	if api {
		m.api = now
	}
	names := map[string]bool{}
	for _, s := range seen {
		names[s.Name] = true
		p := m.hosts[s.Name]
		if p == nil {
			p = &past{moved: now, seen: Sighting{Renewed: s.Renewed}}
			m.hosts[s.Name] = p
		}
		p.look(now, api, s)
	}
	if api {
		maps.DeleteFunc(m.hosts, func(name string, _ *past) bool { return !names[name] })
	}
}

func (p *past) look(now time.Time, api bool, s Sighting) {
	if !api {
		s.Renewed, s.Ready, s.Cordoned, s.Fenced = p.seen.Renewed, p.seen.Ready, p.seen.Cordoned, p.seen.Fenced
	}
	if !s.Renewed.Equal(p.seen.Renewed) {
		p.moved = now
	}
	since(&p.silent, now, s.Kubelet == Silent && s.SSH == Silent)
	since(&p.mute, now, s.Kubelet != Serves && s.SSH != Serves)
	since(&p.deaf, now, s.Kubelet != Serves)
	if s.Power != p.seen.Power {
		p.said = now
	}
	p.seen = s
}

// since keeps when something began to be so.
func since(at *time.Time, now time.Time, so bool) {
	switch {
	case !so:
		*at = time.Time{}
	case at.IsZero():
		*at = now
	}
}

// Doubtful says that some host may not be well, by whatever signal: time to ask the
// management controllers.
func (m *Memory) Doubtful() bool {
	for _, p := range m.hosts {
		if !p.deaf.IsZero() || m.looked.Sub(p.moved) > doubtAfter {
			return true
		}
	}
	return false
}

// Facts as of the last look; what no look sees is for the caller to fill in.
func (m *Memory) Facts() Facts {
	f := Facts{Now: m.looked, WatchedFor: m.looked.Sub(m.began), APISilentFor: m.looked.Sub(m.api)}
	age := func(at time.Time) time.Duration {
		if at.IsZero() {
			return 0
		}
		return max(m.looked.Sub(at), 1) // it began with this look
	}
	for _, name := range slices.Sorted(maps.Keys(m.hosts)) {
		p := m.hosts[name]
		h := Host{
			Name: name, HeartbeatAge: m.looked.Sub(p.moved), Ready: p.seen.Ready,
			SilentFor: age(p.silent), MuteFor: age(p.mute), DeafFor: age(p.deaf),
			Managed: p.seen.Managed, Power: p.seen.Power, Cordoned: p.seen.Cordoned, Fenced: p.seen.Fenced,
		}
		if h.Power != PowerUnknown {
			h.PowerFor = age(p.said)
		}
		f.Hosts = append(f.Hosts, h)
	}
	return f
}
