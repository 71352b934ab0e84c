// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

var now = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

// of site b, which wants to take over from a.
func wants(change func(*Failover)) Failover {
	f := Failover{
		Take: Take{Now: now, Me: "b", Peer: "a", Skew: 2 * time.Second, Vote: &Vote{Site: "a", Epoch: 7, Until: now.Add(-time.Minute)}},
		Mode: api.FailoverUnplanned, To: "b", Following: Following{HeldAllAt: now.Add(-time.Second), PerSecond: 100, Measured: true},
		Members: []Member{{Service: "MessagingService/spine-messaging/spine", Role: common.SiteStandby, Ready: true}},
	}
	if change != nil {
		change(&f)
	}
	return f
}

func TestPlanBlockers(t *testing.T) {
	serving := func(f *Failover) { f.Vote.Until = now.Add(time.Second) }
	for name, c := range map[string]struct {
		change  func(*Failover)
		reasons []string
	}{
		"the other site is lost, both held all": {nil, nil},
		"asked for at the wrong site":           {func(f *Failover) { f.To = "a" }, []string{api.ReasonNotApplicable}},
		"the witness is silent":                 {func(f *Failover) { f.Vote = nil }, []string{api.ReasonWitnessSilent}},
		"it has the vote already":               {func(f *Failover) { f.Vote.Site = "b" }, []string{api.ReasonNotApplicable}},
		"a third site":                          {func(f *Failover) { f.Vote.Site = "c" }, []string{api.ReasonStateUnknown}},
		"the vote holds":                        {serving, []string{api.ReasonSourceServing}},
		"the vote may hold by the other clock":  {func(f *Failover) { f.Vote.Until = now.Add(-2 * time.Second) }, []string{api.ReasonSourceServing}},
		"it was promised":                       {func(f *Failover) { f.Promise = api.Promise{Epoch: 7, Until: now} }, []string{api.ReasonSourceServing}},
		"it was promised for another vote":      {func(f *Failover) { f.Promise = api.Promise{Epoch: 6, Until: now} }, nil},
		"the vote holds, and it can be asked":   {func(f *Failover) { serving(f); f.PeerReachable = true }, nil},
		"a member is missing":                   {func(f *Failover) { f.Members[0].Ready = false }, []string{api.ReasonStandbyNotReady}},
		"it does not follow":                    {func(f *Failover) { f.Members[0].Role = common.SiteQuiesced }, []string{api.ReasonStandbyNotReady}},
		"work would be lost":                    {func(f *Failover) { f.Vote.Alone = true; f.Following.HeldAllAt = now.Add(-2 * time.Minute) }, []string{api.ReasonLossOverLimit}},
		"work may be lost, as far as that":      {func(f *Failover) { f.Vote.Alone = true; f.Limit = api.LossLimit{Messages: 10000, Seconds: 100} }, nil},
		"nobody knows what would be lost":       {func(f *Failover) { f.Vote.Alone = true; f.Following = Following{} }, []string{api.ReasonLossUnknown}},
		"nobody knows, and that is accepted": {func(f *Failover) {
			f.Vote.Alone, f.Following, f.AcceptUnknown = true, Following{}, true
		}, nil},
		"the messages are unknown, the seconds too many": {func(f *Failover) {
			f.Vote.Alone, f.AcceptUnknown, f.Following = true, true, Following{HeldAllAt: now.Add(-time.Hour)}
		}, []string{api.ReasonLossOverLimit}},
		"planned":                              {func(f *Failover) { f.Mode, f.PeerReachable = api.FailoverPlanned, true }, nil},
		"planned, and the other does not talk": {func(f *Failover) { f.Mode = api.FailoverPlanned }, []string{api.ReasonStateUnknown}},
		"planned, and far behind": {func(f *Failover) {
			f.Mode, f.PeerReachable, f.Following.HeldAllAt = api.FailoverPlanned, true, now.Add(-time.Hour)
		}, []string{api.ReasonStandbyNotReady}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, b := range Plan(wants(c.change)).Blockers {
				got = append(got, b.Reason)
				if b.Waivable || len(b.Message) < 20 {
					t.Errorf("blocker %+v", b)
				}
			}
			if !slices.Equal(got, c.reasons) {
				t.Errorf("blocked by %v, expected %v", got, c.reasons)
			}
		})
	}
}

// What moves by itself must not change a plan's digest; what would be done must.
func TestPlanIsStable(t *testing.T) {
	text := func(change func(*Failover)) string {
		p := Plan(wants(change)).Plan
		all := []string{p.Summary, p.PointOfNoReturn, strings.Join(p.Inputs, "\n")}
		for _, s := range p.Steps {
			all = append(all, s.Name, s.Summary)
		}
		return strings.Join(all, "\n")
	}
	same := text(nil)
	if text(func(f *Failover) { f.Now = now.Add(time.Hour); f.Vote.Until = now; f.PeerReachable = true }) != same {
		t.Error("time changes the plan")
	}
	if text(func(f *Failover) { f.Vote.Epoch = 8 }) == same || text(func(f *Failover) { f.Limit.Messages = 1 }) == same {
		t.Error("another vote, or another limit, is the same plan")
	}
}

func TestLossIsAnUpperBound(t *testing.T) {
	f := wants(func(f *Failover) { f.Vote.Alone = true; f.Vote.Until = now.Add(-10 * time.Second) })
	f.Following.HeldAllAt = now.Add(-30 * time.Second)
	if got := f.Loss(f.Following); got != (api.Loss{Seconds: 22, Messages: 2200}) {
		t.Errorf("until its vote ran out, by the worse clock: got %+v", got)
	}
	f.Promise = api.Promise{Epoch: 7, Until: now.Add(time.Hour)}
	if got := f.Loss(f.Following); got.Seconds != 32 {
		t.Errorf("it may serve still: got %+v", got)
	}
}

func TestAutomatically(t *testing.T) {
	rules := api.Automatic{Mode: api.AutomaticOn, Failures: 3, CoolDown: metav1.Duration{Duration: 10 * time.Minute}}
	for name, c := range map[string]struct {
		change func(*Watch)
		want   Verdict
	}{
		"the site is lost":          {func(*Watch) {}, Begin},
		"nobody wants it":           {func(w *Watch) { w.Rules.Mode = api.AutomaticNever }, Leave},
		"the path works":            {func(w *Watch) { w.ProbeFailures = 2 }, Leave},
		"its vote holds":            {func(w *Watch) { w.Vote.Until = now }, Leave},
		"it answers":                {func(w *Watch) { w.PeerReachable = true }, Leave},
		"the witness is silent":     {func(w *Watch) { w.Vote = nil }, Leave},
		"this site has the vote":    {func(w *Watch) { w.Vote.Site = "b" }, Leave},
		"one is under way":          {func(w *Watch) { w.Busy = true }, Leave},
		"the vote came here lately": {func(w *Watch) { w.MovedAt = now.Add(-time.Minute) }, Page},
		"one failed lately":         {func(w *Watch) { w.EndedAt = now.Add(-time.Minute) }, Page},
		"one ended long ago":        {func(w *Watch) { w.EndedAt = now.Add(-time.Hour) }, Begin},
		"work would be lost":        {func(w *Watch) { w.Vote.Alone = true; w.Following.HeldAllAt = now.Add(-time.Hour) }, Page},
		"this site lacks something": {func(w *Watch) { w.Members[0].Ready = false }, Page},
	} {
		t.Run(name, func(t *testing.T) {
			w := Watch{Failover: wants(nil), Rules: rules, ProbeFailures: 3}
			c.change(&w)
			if got, message := Automatically(w); got != c.want || (got != Leave) != (message != "") {
				t.Errorf("%s (%s), expected %s", got, message, c.want)
			}
		})
	}
}

func TestTakeover(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Readiness)
		status metav1.ConditionStatus
		reason string
	}{
		"all is well":             {func(*Readiness) {}, metav1.ConditionTrue, common.ReasonTakeoverReady},
		"the witness is silent":   {func(r *Readiness) { r.Vote = nil }, metav1.ConditionUnknown, common.ReasonWitnessSilent},
		"the other is not heard":  {func(r *Readiness) { r.PeerReachable = false }, metav1.ConditionUnknown, common.ReasonPeerUnreachable},
		"a standby lacks":         {func(r *Readiness) { r.Members[0].Ready = false }, metav1.ConditionFalse, common.ReasonStandbyNotReady},
		"a standby is behind":     {func(r *Readiness) { r.Following.HeldAllAt = now.Add(-time.Hour) }, metav1.ConditionFalse, common.ReasonReplicationBehind},
		"served alone for a time": {func(r *Readiness) { r.Vote.Alone, r.Both = true, true }, metav1.ConditionFalse, common.ReasonServingAlone},
		"this site lost its vote": {func(r *Readiness) { r.Lost = true }, metav1.ConditionFalse, common.ReasonVoteLost},
		"seen from the active one, the other is silent": {func(r *Readiness) { r.Active, r.PeerReachable = true, false },
			metav1.ConditionUnknown, common.ReasonPeerUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			r := Readiness{Failover: wants(func(f *Failover) { f.PeerReachable = true })}
			c.change(&r)
			if status, reason, message := Takeover(r); status != c.status || reason != c.reason || message == "" {
				t.Errorf("%s, %s: %s", status, reason, message)
			}
		})
	}
}
