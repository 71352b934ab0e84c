// SPDX-License-Identifier: Apache-2.0

package recovery

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gotest.tools/v3/golden"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/quorum"
)

// whole is a messaging service with all its members and 12 messages on their way.
func whole() Service {
	return Service{Kind: "MessagingService", Namespace: "spine-messaging", Name: "spine", Backlog: number(12), Parts: []quorum.Part{
		{Name: Database, Known: true, Desired: 3, Ready: 3},
		{Name: Broker, Known: true, Desired: 3, Ready: 3},
		{Name: "gateway", Known: true, Desired: 2, Ready: 2},
	}}
}

// elsewhere is one whose engines somebody else runs.
func elsewhere() Service {
	s := whole()
	s.Elsewhere = map[string]string{Database: "db.test", Broker: "mq.test"}
	s.Parts = s.Parts[2:]
	return s
}

// with changes the part of that name.
func (s Service) with(name string, change func(*quorum.Part)) Service {
	s.Parts = slices.Clone(s.Parts)
	for i := range s.Parts {
		if s.Parts[i].Name == name {
			change(&s.Parts[i])
		}
	}
	return s
}

func number(n int64) *int64 { return &n }

func object(kind, name string) Object {
	return Object{Kind: kind, Namespace: "spine-messaging", Name: name, UID: "uid-of-" + name}
}

func pods(names ...string) []Object {
	var out []Object
	for _, n := range names {
		out = append(out, object("Pod", n))
	}
	return out
}

func brokerPods() []Object {
	return pods("spine-broker-server-2", "spine-broker-server-1", "spine-broker-server-0")
}

func rebuild(s Service) Rebuild {
	f := Rebuild{Service: s, DatabaseAvailable: true, Program: "gateway", Members: brokerPods()}
	for i := range 3 {
		f.Volumes = append(f.Volumes, object("PersistentVolumeClaim", fmt.Sprintf("persistence-spine-broker-server-%d", i)))
	}
	return f
}

func replica(s Service, instance string) Replica {
	return Replica{
		Service: s, Cluster: object("Cluster", "spine-db"), Instance: instance, Primary: "spine-db-1",
		Instances: []Instance{{"spine-db-1", true}, {"spine-db-2", true}, {"spine-db-3", true}},
		Doomed:    []Object{object("Pod", instance), object("PersistentVolumeClaim", instance)},
	}
}

func member(change func(*Member)) Member {
	f := Member{
		Service: whole(), Nodes: object("StatefulSet", "spine-broker-server"), Instance: "spine-broker-server-1",
		Members: []Instance{{"spine-broker-server-0", true}, {"spine-broker-server-1", true}, {"spine-broker-server-2", true}},
		Doomed:  []Object{object("Pod", "spine-broker-server-1"), object("PersistentVolumeClaim", "persistence-spine-broker-server-1")},
	}
	change(&f)
	return f
}

func supplier(name string) Supplier {
	return Supplier{Service: whole(), Object: object("MessagingService", "spine"), Name: name, All: []string{"load", "pharmacy"}, Dead: number(14)}
}

func scale(wanted int32) Scale {
	return Scale{
		Service: whole(), Object: object("MessagingService", "spine"), Deployment: object("Deployment", "spine-gateway"),
		Program: "gateway", Specified: 2, Now: 2, Wanted: wanted, Most: 20,
	}
}

// resynced is the service at a site that lost its vote, having waited for the other one to the end.
func resynced(change func(*Resync)) Resync {
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	f := Resync{
		Service: whole(), Object: object("MessagingService", "spine"), Site: "east", Peer: "west", There: &common.SiteStatus{Role: common.SiteActive},
		Now: now, Term: 20 * time.Second, Vote: api.SiteVote{Site: "west", ReadAt: &metav1.MicroTime{Time: now.Add(-19 * time.Second)}},
		Acknowledge: common.AcknowledgeBothSites,
		Order:       common.SiteOrder{Role: common.SiteQuiesced, Epoch: 4}, Done: true, Cluster: object("Cluster", "spine-db"),
		Doomed: []Object{object("Pod", "spine-db-1"), object("PersistentVolumeClaim", "spine-db-1")},
	}
	change(&f)
	return f
}

// compared is what a site that acknowledged alone rests on.
func compared(change func(*Compare)) Compare {
	f := Compare{Resync: resynced(func(f *Resync) { f.Order.Alone = true }), Available: true}
	change(&f)
	return f
}

func restored(change func(*Restore)) Restore {
	now := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	f := Restore{
		Service: whole(), Object: object("MessagingService", "spine"), Sleep: common.SleepAwake, Program: "gateway", Replicas: 2,
		Now: now, To: now.Add(-time.Hour), First: now.Add(-13 * time.Hour), Kept: true, Available: true,
		Cluster: object("Cluster", "spine-db"), Copy: Object{Kind: "Cluster", Namespace: "spine-messaging", Name: "spine-db-a1b2c3"},
	}
	change(&f)
	return f
}

// restoredBookings is the same of a BookingService.
func restoredBookings(change func(*Restore)) Restore {
	return restored(func(f *Restore) {
		f.Service = Service{Kind: "BookingService", Namespace: "spine-booking", Name: "ers"}
		f.Object, f.Program = Object{"BookingService", "spine-booking", "ers", "uid-of-ers"}, "service"
		f.Cluster = Object{"Cluster", "spine-booking", "ers-db", "uid-of-ers-db"}
		f.Copy = Object{Kind: "Cluster", Namespace: "spine-booking", Name: "ers-db-a1b2c3"}
		change(f)
	})
}

func restart(s Service, part string) Restart {
	f := Restart{Service: s, Part: part}
	switch part {
	case Broker:
		f.Members = brokerPods()
	case Database:
		f.Owner, f.Members = object("Cluster", "spine-db"), pods("spine-db-1", "spine-db-2", "spine-db-3")
	default:
		f.Owner = object("Deployment", "spine-gateway")
	}
	return f
}

// render writes a decision as a person would want to read it.
func render(d Decision) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", d.Plan.Summary)
	for _, blocker := range d.Blockers {
		fmt.Fprintf(&b, "! %s: %s\n", blocker.Reason, blocker.Message)
	}
	for i, s := range d.Plan.Steps {
		flags := ""
		if s.Destructive {
			flags += ", destructive"
		}
		if s.Repeatable {
			flags += ", may be repeated"
		}
		if s.Interruptible {
			flags += ", may be interrupted"
		}
		if s.Name == d.Plan.PointOfNoReturn {
			flags += ", no return from here"
		}
		fmt.Fprintf(&b, "%d. %s (%ds, at most %ds%s)\n   %s\n", i+1, s.Name, s.ExpectedSeconds, s.TimeoutSeconds, flags, s.Summary)
		for _, t := range s.Touches {
			fmt.Fprintf(&b, "   - %s\n", t)
		}
	}
	for _, input := range d.Plan.Inputs {
		fmt.Fprintf(&b, "from %s\n", input)
	}
	if len(d.Plan.Steps) > 0 {
		fmt.Fprintf(&b, "all of it: %ds; loses %d messages\n", d.Plan.ExpectedSeconds, d.Plan.PredictedLoss.Messages)
	}
	return b.String()
}

// The plans of healthy services, as a person reads them. -update rewrites them.
func TestPlans(t *testing.T) {
	for name, d := range map[string]Decision{
		"restart-gateway":           PlanRestart(restart(whole(), "gateway")),
		"restart-gateway-elsewhere": PlanRestart(restart(elsewhere(), "gateway")),
		"restart-database":          PlanRestart(restart(whole(), Database)),
		"restart-broker":            PlanRestart(restart(whole(), Broker)),
		"rebuild-broker":            PlanRebuildBroker(rebuild(whole())),
		"rebuild-broker-elsewhere":  PlanRebuildBroker(Rebuild{Service: elsewhere(), Program: "gateway"}),
		"rebuild-replica":           PlanRebuildReplica(replica(whole(), "spine-db-3")),
		"rebuild-member":            PlanRebuildMember(member(func(*Member) {})),
		"replay-dead-letters":       PlanReplay(supplier("load")),
		"quarantine-supplier":       PlanQuarantine(supplier("load")),
		"release-supplier": PlanRelease(func() Supplier {
			s := supplier("load")
			s.StoppedByHand = true
			return s
		}()),
		"resync-standby": PlanResync(resynced(func(*Resync) {})),
		"resync-standby-broken": PlanResync(resynced(func(f *Resync) {
			f.Order.Role, f.Done, f.Acknowledge, f.Cluster.UID, f.Doomed = common.SiteStandby, false, common.AcknowledgeSite, "", nil
		})),
		"compare-sites":           PlanCompare(compared(func(*Compare) {})),
		"compare-sites-bookings":  PlanCompare(compared(func(f *Compare) { f.Kind = "BookingService" })),
		"resync-standby-accepted": PlanResync(resynced(func(f *Resync) { f.Order.Alone, f.Accepted = true, true })),
		"restore-database":        PlanRestore(restored(func(*Restore) {})),
		"restore-bookings":        PlanRestore(restoredBookings(func(*Restore) {})),
		"scale-out":               PlanScale(scale(4)),
		"end-scale-out":           PlanScale(func() Scale { s := scale(2); s.Now = 4; return s }()),
	} {
		t.Run(name, func(t *testing.T) {
			if len(d.Blockers) > 0 {
				t.Errorf("blocked: %v", d.Blockers)
			}
			sound(t, d.Plan)
			golden.Assert(t, render(d), name+".txt")
		})
	}
}

// sound checks what the API and the engine ask of every plan.
func sound(t *testing.T, p api.Plan) {
	t.Helper()
	if len(p.Steps) == 0 || p.Summary == "" || len(p.Summary) > 1024 || p.ExpectedSeconds == 0 {
		t.Errorf("incomplete: %+v", p)
	}
	found := p.PointOfNoReturn == ""
	for _, s := range p.Steps {
		found = found || s.Name == p.PointOfNoReturn
		if s.Name == "" || len(s.Name) > 63 || s.TimeoutSeconds < 2*s.ExpectedSeconds || s.ExpectedSeconds < 1 || len(s.Summary) > 500 {
			t.Errorf("step %+v", s)
		}
		if s.Destructive && p.PointOfNoReturn == "" {
			t.Errorf("step %s takes something away, and the plan has no point of no return", s.Name)
		}
		if s.Destructive && len(Named(&p, s)) != len(s.Touches) {
			t.Errorf("step %s takes away what the plan does not name by UID: %v", s.Name, s.Touches)
		}
	}
	if !found {
		t.Errorf("the point of no return %q is no step", p.PointOfNoReturn)
	}
}
