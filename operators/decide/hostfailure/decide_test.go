// SPDX-License-Identifier: Apache-2.0

package hostfailure

import (
	"strings"
	"testing"
	"time"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

var now = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

// whole is a site of three hosts that are well, as a manager sees them that has long looked.
func whole() Facts {
	f := Facts{Now: now, WatchedFor: time.Hour, Rest: 2 * time.Minute}
	for _, name := range []string{"a", "b", "c"} {
		f.Hosts = append(f.Hosts, Host{Name: name, HeartbeatAge: time.Second, Ready: true, Managed: true, Power: PowerOn, PowerFor: time.Minute})
	}
	return f
}

const s = time.Second

func silent(h *Host, d time.Duration) {
	h.HeartbeatAge, h.SilentFor, h.MuteFor, h.DeafFor, h.Ready = d, d, d, d, false
}

func off(h *Host, d time.Duration) {
	silent(h, d)
	h.Power, h.PowerFor = PowerOff, d-Pace
}

// away is host b as a fence leaves it.
func away(f *Facts) {
	off(&f.Hosts[1], 60*s)
	f.Hosts[1].Fenced = true
}

func fence(host string, ago time.Duration) Operation {
	return Operation{Name: "fence-" + host, Host: host, Action: api.ActionFenceHost, Own: true, Phase: api.PhaseSucceeded, At: now.Add(-ago)}
}

func TestDecide(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*Facts)
		verdict Verdict
		host    string
		reason  string
		message string // a part of it
	}{
		"well":                     {func(*Facts) {}, Well, "", "", "3 hosts are well"},
		"no power":                 {func(f *Facts) { off(&f.Hosts[1], 6*s) }, Fence, "b", "", "it has no power, and has been silent for 6 s"},
		"no power, not for long":   {func(f *Facts) { off(&f.Hosts[1], 5*s) }, Watch, "b", "", "silent for 5 s"},
		"no power, seen once only": {func(f *Facts) { off(&f.Hosts[1], 7*s); f.Hosts[1].PowerFor = s }, Watch, "b", "", ""},
		"silent":                   {func(f *Facts) { silent(&f.Hosts[1], 10*s) }, Fence, "b", "", "no answer for 10 s, no heartbeat for 10 s"},
		"silent, not for long":     {func(f *Facts) { silent(&f.Hosts[1], 9*s) }, Watch, "b", "", ""},
		"silent to us alone": {func(f *Facts) { silent(&f.Hosts[1], 60*s); f.Hosts[1].HeartbeatAge = s }, Watch, "b", "",
			"silent for 60 s"},
		"silent to the API alone": {func(f *Facts) { f.Hosts[1].HeartbeatAge = 60 * s }, Watch, "b", "", "no heartbeat for 60 s"},
		"frozen": {func(f *Facts) { silent(&f.Hosts[1], 30*s); f.Hosts[1].SilentFor = 0 }, Fence, "b", "",
			"it answers, but no program on it has spoken for 30 s"},
		"frozen, not for long": {func(f *Facts) { silent(&f.Hosts[1], 29*s); f.Hosts[1].SilentFor = 0 }, Watch, "b", "", "no program"},
		"deaf": {func(f *Facts) { f.Hosts[1].DeafFor, f.Hosts[1].HeartbeatAge = 90*s, 92*s }, Fence, "b", "",
			"its kubelet has not spoken for 90 s"},
		"deaf to us alone":     {func(f *Facts) { f.Hosts[1].DeafFor = 900 * s }, Watch, "b", "", "its kubelet"},
		"kubelet being worked": {func(f *Facts) { f.Hosts[1].DeafFor, f.Hosts[1].HeartbeatAge = 60*s, 62*s }, Watch, "b", "", ""},
		"cordoned":             {func(f *Facts) { off(&f.Hosts[1], 60*s); f.Hosts[1].Cordoned = true }, LeaveAlone, "b", "", "it is cordoned"},

		"just begun":        {func(f *Facts) { off(&f.Hosts[1], 9*s); f.WatchedFor = 9 * s }, Blind, "", "", "for 9 s only"},
		"API silent":        {func(f *Facts) { off(&f.Hosts[1], 9*s); f.APISilentFor = 6 * s }, Blind, "", "", "The API"},
		"no heartbeats":     {func(f *Facts) { heartbeats(f, 20*s) }, Well, "", "", ""},
		"none, and silence": {func(f *Facts) { silent(&f.Hosts[1], 20*s); heartbeats(f, 20*s) }, Watch, "b", "", ""},
		"none, but no power": {func(f *Facts) { off(&f.Hosts[1], 20*s); heartbeats(f, 20*s) }, Fence, "b", "",
			"it has no power"},

		"cut off": {func(f *Facts) { silent(&f.Hosts[0], 20*s); silent(&f.Hosts[1], 20*s) }, CutOff, "", api.ReasonManyHostsDown,
			"1 of 3 hosts answer"},
		"one look of nothing": {func(f *Facts) { silent(&f.Hosts[0], 1); silent(&f.Hosts[1], 1) }, Watch, "a", "", ""},
		"no controllers": {func(f *Facts) { off(&f.Hosts[1], 20*s); f.Hosts[0].Power, f.Hosts[2].Power = "", "" }, CutOff, "b", api.ReasonHostUnmanaged,
			"no other host's management controller answers"},
		"storm": {func(f *Facts) { five(f); off(&f.Hosts[0], 20*s); off(&f.Hosts[1], 20*s) }, Storm, "", api.ReasonManyHostsDown,
			"2 of 5 hosts are down (a, b)"},
		"storm begins": {func(f *Facts) { five(f); off(&f.Hosts[0], 20*s); silent(&f.Hosts[1], 4*s) }, Storm, "", api.ReasonManyHostsDown, ""},
		"storm after a fence": {func(f *Facts) {
			five(f)
			f.Hosts[0].Fenced = true
			off(&f.Hosts[0], 900*s)
			off(&f.Hosts[1], 20*s)
		}, Storm, "", api.ReasonManyHostsDown, "2 of 5 hosts are down (a, b)"},
		"more than a third": {func(f *Facts) { f.Hosts = f.Hosts[:2]; off(&f.Hosts[0], 3*s) }, Storm, "", api.ReasonManyHostsDown, "1 of 2"},

		"contradiction, once": {func(f *Facts) { f.Hosts[1].Power, f.Hosts[1].PowerFor = PowerOff, 1 }, Well, "", "", ""},
		"contradiction":       {func(f *Facts) { f.Hosts[1].Power = PowerOff }, Contradiction, "b", api.ReasonHostUnmanaged, "and yet it speaks"},
		"contradiction elsewhere": {func(f *Facts) { f.Hosts[2].Power = PowerOff; silent(&f.Hosts[1], 20*s) }, Contradiction, "c", api.ReasonHostUnmanaged,
			""},
		"unmanaged": {func(f *Facts) { silent(&f.Hosts[1], 20*s); f.Hosts[1].Managed, f.Hosts[1].Power = false, "" }, Unmanaged, "b", api.ReasonHostUnmanaged,
			"no management controller in the inventory"},
		"controller silent": {func(f *Facts) { silent(&f.Hosts[1], 20*s); f.Hosts[1].Power = "" }, Unmanaged, "b", api.ReasonHostUnmanaged,
			"does not say whether"},

		"own operation": {func(f *Facts) {
			off(&f.Hosts[1], 20*s)
			f.Operations = []Operation{{Name: "x", Host: "b", Action: api.ActionFenceHost, Own: true, DryRun: true, At: now}}
		}, Busy, "b", "", "FenceHost of host b (x) is new"},
		"a person's operation": {func(f *Facts) {
			off(&f.Hosts[1], 20*s)
			f.Operations = []Operation{{Name: "x", Host: "c", Action: api.ActionDrainHost, Phase: api.PhaseRunning, At: now}}
		}, LeaveAlone, "c", "", "DrainHost of host c (x) is Running"},
		"a person's dry run": {func(f *Facts) {
			off(&f.Hosts[1], 20*s)
			f.Operations = []Operation{{Name: "x", Host: "c", Action: api.ActionDrainHost, DryRun: true, Phase: api.PhasePlanned, At: now}}
		}, Fence, "b", "", ""},
		"fenced another lately": {func(f *Facts) { off(&f.Hosts[1], 20*s); f.Operations = []Operation{fence("a", 60*s)} }, Resting, "b", api.ReasonCoolingDown,
			"host a was fenced 60 s ago"},
		"fenced another long ago": {func(f *Facts) { off(&f.Hosts[1], 20*s); f.Operations = []Operation{fence("a", 10*time.Minute)} }, Fence, "b", "", ""},

		"fenced, resting":  {func(f *Facts) { away(f); f.Operations = []Operation{fence("b", 30*s)} }, Resting, "b", "", "returned in 90 s"},
		"fenced, rested":   {func(f *Facts) { away(f); f.Operations = []Operation{fence("b", 120*s)} }, Return, "b", "", "fenced by fence-b"},
		"fenced, on again": {func(f *Facts) { f.Hosts[1].Fenced = true; f.Operations = []Operation{fence("b", 30*s)} }, Return, "b", "", "fenced by fence-b"},
		"fenced, another in doubt": {func(f *Facts) {
			f.Hosts[1].Fenced = true
			f.Hosts[2].DeafFor = s
			f.Operations = []Operation{fence("b", 120*s)}
		}, Watch, "b", "", "until all others are well"},
		"fenced by a person": {func(f *Facts) {
			f.Hosts[1].Fenced = true
			o := fence("b", time.Hour)
			o.Own = false
			f.Operations = []Operation{fence("b", 2*time.Hour), o}
		}, LeaveAlone, "b", "", "by a person"},
		"fenced by nobody known": {func(f *Facts) { f.Hosts[1].Fenced = true }, LeaveAlone, "b", "", "by a person"},
		"a return failed": {func(f *Facts) {
			f.Hosts[1].Fenced = true
			o := fence("b", 10*time.Minute)
			o.Name, o.Action, o.Phase = "return-b", api.ActionReturnHost, api.PhaseFailed
			f.Operations = []Operation{fence("b", time.Hour), o}
		}, LeaveAlone, "b", api.ReasonStepFailed, "could not be returned (return-b)"},
		"flapping": {func(f *Facts) {
			f.Hosts[1].Fenced = true
			f.Operations = []Operation{fence("b", 50*time.Minute), fence("b", 10*time.Minute)}
		}, LeaveAlone, "b", api.ReasonCoolingDown, "fenced twice"},
	} {
		t.Run(name, func(t *testing.T) {
			f := whole()
			c.change(&f)
			d := Decide(f)
			if d.Verdict != c.verdict || d.Host != c.host || d.Reason != c.reason || !strings.Contains(strings.ToLower(d.Message), strings.ToLower(c.message)) {
				t.Errorf("got %+v", d)
			}
		})
	}
}

func heartbeats(f *Facts, age time.Duration) {
	for i := range f.Hosts {
		f.Hosts[i].HeartbeatAge = age
	}
}

func five(f *Facts) {
	f.Hosts = append(f.Hosts, Host{Name: "d", Power: PowerOn, Managed: true}, Host{Name: "e", Power: PowerOn, Managed: true})
}

// Never fenced by one signal, never in a storm, never while somebody works, whatever is seen.
func FuzzNeverRash(f *testing.F) {
	f.Add(uint16(12), uint16(12), uint16(0), uint8(0b010), uint8(0b001), true)
	f.Add(uint16(99), uint16(0), uint16(99), uint8(0b111), uint8(0b111), false)
	f.Fuzz(func(t *testing.T, heartbeat, network, others uint16, flags, power uint8, working bool) {
		facts := whole()
		h := &facts.Hosts[1]
		h.HeartbeatAge = time.Duration(heartbeat) * s
		h.DeafFor = time.Duration(network) * s
		if flags&1 == 0 {
			h.MuteFor = h.DeafFor
		}
		if flags&3 == 0 {
			h.SilentFor = h.DeafFor
		}
		h.Cordoned = flags&4 != 0
		h.Power, h.PowerFor = []Power{PowerOn, PowerOff, PowerUnknown}[power%3], h.SilentFor
		facts.Hosts[2].SilentFor = time.Duration(others) * s
		facts.Hosts[2].MuteFor, facts.Hosts[2].DeafFor = facts.Hosts[2].SilentFor, facts.Hosts[2].SilentFor
		if working {
			facts.Operations = []Operation{{Host: "a", Action: api.ActionDrainHost, Phase: api.PhaseRunning}}
		}
		d := Decide(facts)
		if d.Verdict != Fence {
			return
		}
		signals := 0
		for _, bad := range []bool{h.HeartbeatAge >= offAfter, h.DeafFor >= offAfter, h.Power == PowerOff} {
			if bad {
				signals++
			}
		}
		if d.Host != "b" || signals < 2 || working || h.Cordoned || h.Power == PowerUnknown || facts.Hosts[2].SilentFor >= lasting {
			t.Errorf("%+v by %+v", d, facts)
		}
	})
}
