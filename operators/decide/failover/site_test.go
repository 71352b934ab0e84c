// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"testing"
	"time"

	"k8s.io/utils/ptr"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

func TestDecide(t *testing.T) {
	const active, quiesced, standby = common.SiteActive, common.SiteQuiesced, common.SiteStandby
	// a site that serves, both sites holding all.
	site := func(change func(*Site)) Site {
		f := Site{
			Now: now, Me: "a", Peer: "b", Term: 20 * time.Second, First: true, Both: true, Strict: true, Bounded: false, Streaming: true, StreamingFor: time.Hour, Done: true,
			Vote:  &Vote{Site: "a", Epoch: 7, Until: now.Add(19 * time.Second)},
			Order: common.SiteOrder{Role: active, Epoch: 7},
		}
		f.Held = *f.Vote
		change(&f)
		return f
	}
	alone := func(f *Site) {
		f.Vote.Alone, f.Held.Alone, f.Order.Alone, f.Strict, f.Streaming, f.Bounded = true, true, true, false, false, true
	}
	abrupt := &api.Handover{Operation: "o", Epoch: 7, Role: standby, Until: now.Add(time.Minute)}
	asked := ptr.To(*abrupt)
	asked.Finish = true
	for name, c := range map[string]struct {
		change func(*Site)
		role   common.SiteRole
		alone  bool
		permit Permit
		swap   bool
	}{
		"serves, both hold all":           {func(*Site) {}, active, false, PermitEndless, false},
		"renews in time":                  {func(f *Site) { f.Vote.Until = now.Add(14 * time.Second) }, active, false, PermitEndless, true},
		"serves alone":                    {alone, active, true, PermitUntil, false},
		"senders wait for a moment":       {func(f *Site) { f.Streaming, f.BrokenFor = false, 9*time.Second }, active, false, PermitEndless, false},
		"puts on record that it is alone": {func(f *Site) { f.Streaming, f.BrokenFor = false, 10*time.Second }, active, false, PermitEndless, true},
		"on record, a permit is endless":  {func(f *Site) { f.Vote.Alone, f.Streaming = true, false }, active, false, PermitUntil, false},
		"on record, all permits end":      {func(f *Site) { f.Vote.Alone, f.Streaming, f.Bounded = true, false, true }, active, true, PermitUntil, false},
		"caught up":                       {func(f *Site) { alone(f); f.Streaming, f.StreamingFor = true, 5*time.Second }, active, false, PermitUntil, false},
		"caught up a moment ago":          {func(f *Site) { alone(f); f.Streaming, f.StreamingFor = true, 4*time.Second }, active, true, PermitUntil, false},
		"caught up, and waits for both":   {func(f *Site) { f.Vote.Alone = true }, active, false, PermitEndless, true},
		"the witness is away":             {func(f *Site) { f.Vote = nil }, active, false, PermitEndless, false},
		"alone, and the witness is away":  {func(f *Site) { alone(f); f.Vote = nil }, active, true, PermitUntil, false},
		"alone, and its vote ran out":     {func(f *Site) { alone(f); f.Vote, f.Held.Until = nil, now }, active, true, PermitNone, false},
		"alone, and it was promised":      {func(f *Site) { alone(f); f.Vote, f.Held.Until, f.Promised = nil, now, now.Add(time.Second) }, active, true, PermitUntil, false},
		"the other site has the vote":     {func(f *Site) { f.Vote.Site, f.Vote.Epoch = "b", 8 }, quiesced, false, PermitNone, false},
		"lost while it was alone":         {func(f *Site) { alone(f); f.Vote.Site, f.Vote.Epoch = "b", 8 }, quiesced, true, PermitNone, false},
		"lost before it was together":     {func(f *Site) { f.Vote.Site, f.Vote.Epoch, f.WasAlone = "b", 8, true }, quiesced, true, PermitNone, false},
		"alone, it stops":                 {func(f *Site) { alone(f); f.Handover = asked }, quiesced, true, PermitUntil, false},
		"alone, it hands over":            {func(f *Site) { alone(f); f.Handover, f.Order.Role = asked, quiesced }, standby, false, PermitNone, false},
		"it stands by":                    {func(f *Site) { f.Vote.Site, f.Vote.Epoch, f.Order.Role = "b", 8, standby }, standby, false, PermitNone, false},
		"it has taken the vote":           {func(f *Site) { f.Vote.Epoch, f.Order.Role, f.Streaming = 8, standby, false }, active, false, PermitEndless, false},
		"asked to hand over, it stops":    {func(f *Site) { f.Handover = asked }, quiesced, false, PermitUntil, false},
		"asked to stop at once":           {func(f *Site) { f.Handover = abrupt }, quiesced, false, PermitNone, false},
		"stopped, it hands over":          {func(f *Site) { f.Handover, f.Order.Role = asked, quiesced }, standby, false, PermitNone, false},
		"not yet stopped":                 {func(f *Site) { f.Handover, f.Order.Role, f.Done = asked, quiesced, false }, quiesced, false, PermitUntil, false},
		"not stopped, its vote ran out":   {func(f *Site) { f.Handover, f.Order.Role, f.Done, f.Vote.Until = asked, quiesced, false, now }, quiesced, false, PermitNone, true},
		"asked about another vote":        {func(f *Site) { f.Vote.Epoch, f.Order.Epoch, f.Handover = 8, 8, asked }, active, false, PermitEndless, false},
		"the handover is over":            {func(f *Site) { f.Order.Role = standby }, standby, false, PermitNone, true},
		"over, and its vote is renewed":   {func(f *Site) { f.Order.Role, f.Renewed = standby, true }, active, false, PermitEndless, false},
		"nobody has voted":                {func(f *Site) { f.Vote, f.Order = &Vote{}, common.SiteOrder{Role: quiesced} }, quiesced, false, PermitNone, true},
		"nobody has voted, and it waits":  {func(f *Site) { f.First, f.Vote, f.Order = false, &Vote{}, common.SiteOrder{Role: standby} }, standby, false, PermitNone, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := site(c.change)
			d := Decide(f)
			if d.Order.Role != c.role || d.Order.Alone != c.alone || d.Permit != c.permit || (d.Swap != nil) != c.swap {
				t.Errorf("got %+v", d)
			}
			// Programs heed no epoch that is older than the last: also a permit that is taken back has it.
			if f.Vote != nil && d.Epoch != f.Vote.Epoch {
				t.Errorf("the permit is of epoch %d", d.Epoch)
			}
			if d.Swap != nil && (d.Swap.Epoch < f.Vote.Epoch || !d.Swap.Until.After(f.Vote.Until)) {
				t.Errorf("the vote goes back: %+v", d.Swap)
			}
		})
	}
}
