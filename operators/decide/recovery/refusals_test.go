// SPDX-License-Identifier: Apache-2.0

package recovery

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/decide/quorum"
)

func uncounted(s Service) Service {
	s.Backlog = nil
	return s
}

func missing(p *quorum.Part)  { p.Ready-- }
func none(p *quorum.Part)     { p.Ready = 0 }
func unknown(p *quorum.Part)  { p.Known, p.Ready = false, 0 }
func changing(p *quorum.Part) { p.Changing = true }

// follows has the site stand by, and the other one say that it has all.
func follows(f *Resync) {
	f.Order.Role = common.SiteStandby
	f.There.Replication = &common.SiteReplication{Streaming: true, BehindSeconds: number(0), ObservedTime: metav1.NewTime(f.Now)}
}

// A member may have been well when it was planned to throw another away: it is counted again right before, by its own
// report only.
func TestOthersUnknown(t *testing.T) {
	for name, got := range map[string][]api.Blocker{
		"a member":  member(func(f *Member) { f.Service = f.with(Broker, unknown) }).Others(),
		"a standby": replica(whole().with(Database, unknown), "spine-db-3").Others(),
	} {
		if len(got) != 1 || got[0].Reason != api.ReasonStateUnknown {
			t.Errorf("%s is thrown away: %+v", name, got)
		}
	}
}

// Nothing that came may be missing from what takes the database's place.
func TestLacks(t *testing.T) {
	ledger, bookings := whole(), Service{Kind: "BookingService"}
	for name, c := range map[string]struct {
		of      Service
		found   Comparison
		carried bool
		want    string
	}{
		"a true copy":             {ledger, Comparison{Both: 9, After: 3, OnlyTo: 2}, false, ""},
		"it lacks an old message": {ledger, Comparison{Both: 9, OnlyFrom: 1}, false, "the copy lacks 1 message accepted before that time"},
		"after, an old one":       {ledger, Comparison{Both: 9, OnlyFrom: 2, Carried: 4}, true, "the copy lacks 2 messages accepted before that time"},
		"all was carried over":    {ledger, Comparison{Both: 9, Carried: 3}, true, ""},
		"one was not":             {ledger, Comparison{Both: 9, Carried: 2, After: 1}, true, "the copy lacks 1 message accepted since"},
		"an old referral":         {bookings, Comparison{Both: 9, OnlyFrom: 1}, false, "the copy lacks 1 referral made or changed before that time"},
		"changes were not":        {bookings, Comparison{Both: 9, After: 2}, true, "the copy lacks 2 referrals made or changed since"},
		"slots were given away":   {bookings, Comparison{Both: 9, Carried: 3, Displaced: 3}, true, ""},
	} {
		if got := c.of.Lacks(c.found, c.carried); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// What a comparison found, as a person reads it.
func TestFound(t *testing.T) {
	bookings := Service{Kind: "BookingService"}
	for got, want := range map[string]string{
		whole().Compared(Comparison{Both: 40, OnlyTo: 2, Differing: 1, After: 7}):  "40 messages are in both; 3 are had back; 7 accepted since are only in the one in use",
		whole().Ahead(Comparison{Carried: 6}):                                      "6 messages were carried over",
		whole().CarriedOver(Comparison{Both: 8, Carried: 2}):                       "nothing accepted since is missing, of 8 messages; 2 of them were carried over with the programs stopped",
		bookings.Compared(Comparison{Both: 40, OnlyTo: 2, Differing: 1, After: 7}): "40 referrals are in both; 3 are had back; 7 made or changed since are so in the one in use only",
		bookings.CarriedOver(Comparison{Both: 8, Carried: 7}):                      "nothing made or changed since is missing, of 8 referrals; 7 of them were carried over with the programs stopped",
		bookings.CarriedOver(Comparison{Both: 8, Carried: 7, Displaced: 1}): "nothing made or changed since is missing, of 8 referrals; 7 of them were carried over with the programs stopped;" +
			" 1 booking that was had back had lost its slot to another patient since: it is on the worklist of appointment slot issues",
		bookings.CarriedOver(Comparison{Both: 8, Carried: 7, Displaced: 3}): "nothing made or changed since is missing, of 8 referrals; 7 of them were carried over with the programs stopped;" +
			" 3 bookings that were had back had lost their slot to another patient since: they are on the worklist of appointment slot issues",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// What a site alone has, as a person reads it.
func TestAlone(t *testing.T) {
	f := compared(func(*Compare) {})
	bookings := compared(func(f *Compare) { f.Kind = "BookingService" })
	first, last := "2026-11-24T12:00:00.5Z", "2026-11-24T12:00:07Z"
	for got, want := range map[string]string{
		f.Alone(Alone{}): "site west has all messages of site east",
		f.Alone(Alone{Alone: 1, Listed: 1, First: last, Last: last}): "site east alone has 1 message, accepted from " + last + " to " + last,
		f.Alone(Alone{Alone: 70_000, Again: 4, Listed: 50_000, First: first, Last: last}): "site east alone has 70000 messages, accepted from " + first + " to " + last +
			"; sent to site west again since: 4 of them; the list has the newest 50000",
		bookings.Alone(Alone{}): "site west has all changes of referrals of site east",
		bookings.Alone(Alone{Alone: 2, Listed: 2, First: first, Last: last}): "site east alone has 2 changes of referrals, made from " + first + " to " + last,
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestResynced(t *testing.T) {
	done := func(change func(*Resync)) Resync {
		return resynced(func(f *Resync) { follows(f); f.Done, f.Whole = true, true; change(f) })
	}
	for message, f := range map[string]Resync{
		"the database follows site west and has all":             done(func(*Resync) {}),
		"waiting until the service stands by at this site":       done(func(f *Resync) { f.Done = false }),
		"site west does not answer":                              done(func(f *Resync) { f.There = nil }),
		"waiting until site west says that this one has all":     done(func(f *Resync) { f.There.Replication.Streaming = false }),
		"waiting until site west says that this one has all too": done(func(f *Resync) { f.Whole = false }),
	} {
		ok, got := f.Resynced()
		if want := strings.TrimSuffix(message, " too"); got != want || ok != strings.Contains(want, "follows") {
			t.Errorf("%t, %q: expected %q", ok, got, want)
		}
	}
}

// Each refusal by its reason and by what it tells a person.
func TestRefusals(t *testing.T) {
	replicaWith := func(instance string, change func(*Replica)) Replica {
		f := replica(whole(), instance)
		change(&f)
		return f
	}
	supplierWith := func(change func(*Supplier)) Supplier {
		f := supplier("load")
		change(&f)
		return f
	}
	scaleWith := func(wanted int32, change func(*Scale)) Scale {
		f := scale(wanted)
		change(&f)
		return f
	}
	rebuildWith := func(change func(*Rebuild)) Rebuild {
		f := rebuild(whole())
		change(&f)
		return f
	}
	for name, c := range map[string]struct {
		got     Decision
		reason  string
		message string
	}{
		"no such service": {Missing("MessagingService", "spine-messaging", "spin"), api.ReasonTargetNotFound, "no MessagingService spine-messaging/spin"},

		"compare: one site only":                {PlanCompare(compared(func(f *Compare) { f.Site = "" })), api.ReasonNotApplicable, "nothing to compare"},
		"compare: somebody else's database":     {PlanCompare(compared(func(f *Compare) { f.Elsewhere = map[string]string{Database: "db.test"} })), api.ReasonRunElsewhere, "db.test"},
		"compare: a copy":                       {PlanCompare(compared(func(f *Compare) { f.Order.Role = common.SiteStandby })), api.ReasonNotApplicable, "holds nothing of its own"},
		"compare: nobody knows who serves":      {PlanCompare(compared(func(f *Compare) { f.Vote.ReadAt = nil })), api.ReasonWitnessSilent, "which site serves"},
		"compare: it serves":                    {PlanCompare(compared(func(f *Compare) { f.Vote.Site = f.Site })), api.ReasonNotApplicable, "holds anything of its own"},
		"compare: it has not stopped yet":       {PlanCompare(compared(func(f *Compare) { f.Done = false })), api.ReasonStateUnknown, "has not stopped"},
		"compare: the other site is silent":     {PlanCompare(compared(func(f *Compare) { f.There = nil })), api.ReasonStateUnknown, "nothing is compared here"},
		"compare: the other one does not":       {PlanCompare(compared(func(f *Compare) { f.There.Role = common.SiteStandby })), api.ReasonStateUnknown, "nothing is compared here before it does"},
		"compare: its database is gone":         {PlanCompare(compared(func(f *Compare) { f.Cluster.UID = "" })), api.ReasonStateUnknown, "cannot be read"},
		"compare: its database does not run":    {PlanCompare(compared(func(f *Compare) { f.Available = false })), api.ReasonStateUnknown, "cannot be read"},
		"resync: one site only":                 {PlanResync(resynced(func(f *Resync) { f.Site = "" })), api.ReasonNotApplicable, "at one site only"},
		"resync: somebody else's database":      {PlanResync(resynced(func(f *Resync) { f.Elsewhere = map[string]string{Database: "db.test"} })), api.ReasonRunElsewhere, "db.test"},
		"resync: nobody knows who serves":       {PlanResync(resynced(func(f *Resync) { f.Vote.ReadAt = nil })), api.ReasonWitnessSilent, "which site serves"},
		"resync: nobody serves":                 {PlanResync(resynced(func(f *Resync) { f.Vote.Site = "" })), api.ReasonNotApplicable, "no site on record"},
		"resync: it serves":                     {PlanResync(resynced(func(f *Resync) { f.Vote.Site = f.Site })), api.ReasonNotApplicable, "site east on record"},
		"resync: it has not heard yet":          {PlanResync(resynced(func(f *Resync) { f.Order.Role = common.SiteActive })), api.ReasonStateUnknown, "has not stopped"},
		"resync: it has not stopped yet":        {PlanResync(resynced(func(f *Resync) { f.Done = false })), api.ReasonStateUnknown, "has not stopped"},
		"resync: the other site is silent":      {PlanResync(resynced(func(f *Resync) { f.There = nil })), api.ReasonStateUnknown, "site west does not answer"},
		"resync: the other one does not serve":  {PlanResync(resynced(func(f *Resync) { f.There.Role = common.SiteStandby })), api.ReasonStateUnknown, "does not serve at site west either"},
		"resync: what is known is old":          {PlanResync(resynced(func(f *Resync) { f.Now = f.Now.Add(time.Second) })), api.ReasonWitnessSilent, "which site serves"},
		"resync: it was specified so":           {PlanResync(resynced(func(f *Resync) { f.Acknowledge = common.AcknowledgeSite })), api.ReasonWorkAtRisk, "CompareSites lists that; whoever accepts that it is lost gives acceptUnknownLoss"},
		"resync: it acknowledged alone":         {PlanResync(resynced(func(f *Resync) { f.Order.Alone = true })), api.ReasonWorkAtRisk, "acceptUnknownLoss"},
		"resync: it follows":                    {PlanResync(resynced(func(f *Resync) { follows(f); f.Whole = true })), api.ReasonNotApplicable, "nothing to do"},
		"resync: it follows with a member less": {PlanResync(resynced(follows)), api.ReasonNotApplicable, "RebuildReplica"},

		"restore: somebody else's database":   {PlanRestore(restored(func(f *Restore) { f.Elsewhere = map[string]string{Database: "db.test"} })), api.ReasonRunElsewhere, "db.test"},
		"restore: somebody else's bookings":   {PlanRestore(restoredBookings(func(f *Restore) { f.Elsewhere = map[string]string{Database: "db.test"} })), api.ReasonRunElsewhere, "db.test"},
		"restore: it wakes":                   {PlanRestore(restoredBookings(func(f *Restore) { f.Sleep = common.SleepWaking })), api.ReasonAsleep, "status.sleep.phase is Waking"},
		"restore: another one holds it":       {PlanRestore(restoredBookings(func(f *Restore) { f.HeldBy = "restore-database-ers-x1" })), api.ReasonOtherOperation, "is held by restore-database-ers-x1"},
		"restore: bookings at two sites":      {PlanRestore(restoredBookings(func(f *Restore) { f.Paired = true })), api.ReasonNotApplicable, "two sites"},
		"restore: changes since are away":     {PlanRestore(restoredBookings(func(f *Restore) { f.Available = false })), api.ReasonLossUnknown, "what was made or changed after"},
		"restore: two sites":                  {PlanRestore(restored(func(f *Restore) { f.Paired = true })), api.ReasonNotApplicable, "two sites"},
		"restore: it is kept nowhere":         {PlanRestore(restored(func(f *Restore) { f.Kept = false })), api.ReasonNotApplicable, "spec.database.backup"},
		"restore: no copy is there yet":       {PlanRestore(restored(func(f *Restore) { f.First = time.Time{} })), api.ReasonNotApplicable, "no copy"},
		"restore: before the first copy":      {PlanRestore(restored(func(f *Restore) { f.To = f.First.Add(-time.Second) })), api.ReasonNotApplicable, "the earliest state that can be had is of 2026-11-22T02:00:00Z"},
		"restore: it may not be archived":     {PlanRestore(restored(func(f *Restore) { f.To = f.Now.Add(time.Second - ArchiveLag) })), api.ReasonNotApplicable, "give a time before 2026-11-22T14:57:00Z"},
		"restore: the future":                 {PlanRestore(restored(func(f *Restore) { f.To = f.Now.Add(time.Hour) })), api.ReasonNotApplicable, "give a time before"},
		"restore: what came since is away":    {PlanRestore(restored(func(f *Restore) { f.Available = false })), api.ReasonLossUnknown, "repair it first"},
		"restore: there is no database":       {PlanRestore(restored(func(f *Restore) { f.Cluster.UID = "" })), api.ReasonLossUnknown, "repair it first"},
		"restore: the log does not get there": {PlanRestore(restored(func(f *Restore) { f.Failing = true })), api.ReasonStateUnknown, "condition Backup"},

		"any action: it sleeps": {Asleep("BookingService", "spine-booking", "ers"), api.ReasonAsleep, "set spec.activity to Awake"},

		"restart: another part's member is missing": {PlanRestart(restart(whole().with(Broker, missing), "gateway")), api.ReasonQuorumAtRisk, "broker has 2 of 3 members"},
		"restart: its own member is missing":        {PlanRestart(restart(whole().with(Database, missing), Database)), api.ReasonQuorumAtRisk, "database has 2 of 3 members"},
		"restart: a part is changing":               {PlanRestart(restart(whole().with(Database, changing), Broker)), api.ReasonQuorumAtRisk, "database is being changed"},
		"restart: a part is unknown":                {PlanRestart(restart(whole().with(Database, unknown), "gateway")), api.ReasonStateUnknown, "the state of database is not known"},
		"restart: no broker is there to restart":    {PlanRestart(restart(whole().with(Broker, none), Broker)), api.ReasonNotApplicable, "use the action RebuildBroker"},

		"broker: the ledger takes no writes": {PlanRebuildBroker(rebuildWith(func(f *Rebuild) { f.DatabaseAvailable = false })), api.ReasonWorkAtRisk, "recover the database first"},
		"broker: the ledger lacks a member":  {PlanRebuildBroker(rebuild(whole().with(Database, missing))), api.ReasonQuorumAtRisk, "database has 2 of 3 members"},
		"broker: the ledger is unknown":      {PlanRebuildBroker(rebuild(whole().with(Database, unknown))), api.ReasonStateUnknown, "the state of database is not known"},
		"broker: nobody counts":              {PlanRebuildBroker(rebuildWith(func(f *Rebuild) { f.Backlog = nil })), api.ReasonStateUnknown, "no gateway says"},
		"broker: no gateway is ready":        {PlanRebuildBroker(rebuild(whole().with("gateway", none))), api.ReasonWorkAtRisk, "recover the gateways first"},
		"broker: the gateways are unknown":   {PlanRebuildBroker(rebuild(whole().with("gateway", unknown))), api.ReasonStateUnknown, "gateway"},
		"broker: there is none":              {PlanRebuildBroker(rebuildWith(func(f *Rebuild) { f.Members, f.Volumes = nil, nil })), api.ReasonNotApplicable, "neither a member nor a volume"},

		"restart: somebody else runs the database": {PlanRestart(restart(elsewhere(), Database)), api.ReasonRunElsewhere, "run by somebody else, at db.test"},
		"restart: somebody else runs the broker":   {PlanRestart(restart(elsewhere(), Broker)), api.ReasonRunElsewhere, "run by somebody else, at mq.test"},
		"replica: somebody else runs the database": {PlanRebuildReplica(replica(elsewhere(), "spine-db-3")), api.ReasonRunElsewhere, "the database of MessagingService spine-messaging/spine is run by somebody else"},
		"broker elsewhere: nobody counts":          {PlanRebuildBroker(Rebuild{Service: uncounted(elsewhere()), Program: "gateway"}), api.ReasonStateUnknown, "no gateway says"},
		"broker elsewhere: no gateway is ready":    {PlanRebuildBroker(Rebuild{Service: elsewhere().with("gateway", none), Program: "gateway"}), api.ReasonWorkAtRisk, "recover the gateways first"},

		"replica: it is the primary":          {PlanRebuildReplica(replica(whole(), "spine-db-1")), api.ReasonNotApplicable, "is the primary"},
		"replica: it is no member":            {PlanRebuildReplica(replica(whole(), "spine-db-9")), api.ReasonTargetNotFound, "one of spine-db-1, spine-db-2, spine-db-3"},
		"replica: nothing of it is there":     {PlanRebuildReplica(replicaWith("spine-db-3", func(f *Replica) { f.Doomed = nil })), api.ReasonTargetNotFound, "no member"},
		"replica: another standby is missing": {PlanRebuildReplica(replicaWith("spine-db-3", func(f *Replica) { f.Instances[1].Ready = false })), api.ReasonQuorumAtRisk, "database has 1 of 2 members"},
		"replica: only the primary would be left": {PlanRebuildReplica(replicaWith("spine-db-3", func(f *Replica) {
			f.Instances = f.Instances[0:1:1]
			f.Instances = append(f.Instances, Instance{"spine-db-3", true})
		})), api.ReasonQuorumAtRisk, "database has 1 of 2 members"},
		"replica: no other member is ready":          {PlanRebuildReplica(replicaWith("spine-db-3", func(f *Replica) { f.Instances[0].Ready, f.Instances[1].Ready = false, false })), api.ReasonQuorumAtRisk, "database has 0 of 2 members"},
		"replica: the role is on the move":           {PlanRebuildReplica(replicaWith("spine-db-3", func(f *Replica) { f.Primary = "" })), api.ReasonQuorumAtRisk, "no primary"},
		"replica: CloudNativePG is at work":          {PlanRebuildReplica(replicaWith("spine-db-3", func(f *Replica) { f.Working = "Upgrading cluster" })), api.ReasonQuorumAtRisk, "Upgrading cluster"},
		"replica: a broker is missing":               {PlanRebuildReplica(replica(whole().with(Broker, missing), "spine-db-3")), api.ReasonQuorumAtRisk, "broker has 2 of 3 members"},
		"replica: CloudNativePG has not said a word": {PlanRebuildReplica(replica(whole().with(Database, unknown), "spine-db-3")), api.ReasonStateUnknown, "CloudNativePG does not say"},

		"member: somebody else runs the broker": {PlanRebuildMember(member(func(f *Member) { f.Service = elsewhere() })), api.ReasonRunElsewhere, "the broker of MessagingService spine-messaging/spine is run by somebody else"},
		"member: it is none":                    {PlanRebuildMember(member(func(f *Member) { f.Instance = "spine-broker-server-3" })), api.ReasonTargetNotFound, "one of spine-broker-server-0, spine-broker-server-1, spine-broker-server-2"},
		"member: it is the only one":            {PlanRebuildMember(member(func(f *Member) { f.Members = f.Members[1:2] })), api.ReasonNotApplicable, "RebuildBroker"},
		"member: nothing of it is there":        {PlanRebuildMember(member(func(f *Member) { f.Doomed = nil })), api.ReasonNotApplicable, "is being made anew already"},
		"member: another one is missing":        {PlanRebuildMember(member(func(f *Member) { f.Members[2].Ready = false })), api.ReasonQuorumAtRisk, "broker has 1 of 2 members"},
		"member: no other one is ready":         {PlanRebuildMember(member(func(f *Member) { f.Members[0].Ready, f.Members[2].Ready = false, false })), api.ReasonQuorumAtRisk, "broker has 0 of 2 members"},
		"member: the broker is being changed":   {PlanRebuildMember(member(func(f *Member) { f.Service = f.with(Broker, func(p *quorum.Part) { p.Changing = true }) })), api.ReasonQuorumAtRisk, "broker is being changed"},
		"member: a standby is missing":          {PlanRebuildMember(member(func(f *Member) { f.Service = f.with(Database, missing) })), api.ReasonQuorumAtRisk, "database has 2 of 3 members"},
		"member: nobody knows":                  {PlanRebuildMember(member(func(f *Member) { f.Service = f.with(Broker, unknown) })), api.ReasonStateUnknown, "nothing says how the broker"},

		"replay: no such supplier":    {PlanReplay(supplier("lod")), api.ReasonTargetNotFound, `no supplier "lod": supplier must be one of load, pharmacy`},
		"replay: nobody counts":       {PlanReplay(supplierWith(func(f *Supplier) { f.Dead = nil })), api.ReasonStateUnknown, "no gateway says"},
		"replay: there are none":      {PlanReplay(supplierWith(func(f *Supplier) { f.Dead = number(0) })), api.ReasonNotApplicable, "no dead letters"},
		"replay: it is in quarantine": {PlanReplay(supplierWith(func(f *Supplier) { f.StoppedByHand = true })), api.ReasonNotApplicable, "open it first"},

		"quarantine: no such supplier":       {PlanQuarantine(supplier("lod")), api.ReasonTargetNotFound, "load, pharmacy"},
		"quarantine: it is already":          {PlanQuarantine(supplierWith(func(f *Supplier) { f.StoppedByHand = true })), api.ReasonNotApplicable, "already"},
		"quarantine: the specification does": {PlanQuarantine(supplierWith(func(f *Supplier) { f.StoppedBySpec = true })), api.ReasonNotApplicable, "the specification"},
		"release: it is not in quarantine":   {PlanRelease(supplier("load")), api.ReasonNotApplicable, "nothing to release"},
		"release: the specification does":    {PlanRelease(supplierWith(func(f *Supplier) { f.StoppedBySpec, f.StoppedByHand = true, true })), api.ReasonNotApplicable, "set its traffic to Open there"},

		"scale: fewer than specified":  {PlanScale(scaleWith(2, func(f *Scale) { f.Specified, f.Now = 3, 3 })), api.ReasonNotApplicable, "fewer than the 3"},
		"scale: as it is":              {PlanScale(scale(2)), api.ReasonNotApplicable, "2 replicas already"},
		"scale: too many connections":  {PlanScale(scaleWith(9, func(f *Scale) { f.Most = 8 })), api.ReasonNotApplicable, "at most 8"},
		"scale: replicas are replaced": {PlanScale(scaleWith(4, func(f *Scale) { f.Updating = true })), api.ReasonQuorumAtRisk, "wait until that has ended"},
		"scale: nobody knows":          {PlanScale(scaleWith(4, func(f *Scale) { f.Service = f.with("gateway", unknown) })), api.ReasonStateUnknown, "gateway"},
	} {
		t.Run(name, func(t *testing.T) {
			if len(c.got.Blockers) != 1 {
				t.Fatalf("expected one blocker, got %v", c.got.Blockers)
			}
			b := c.got.Blockers[0]
			if b.Reason != c.reason || !strings.Contains(b.Message, c.message) {
				t.Errorf("got %s: %s", b.Reason, b.Message)
			}
			if b.Waivable {
				t.Error("safety is not waived")
			}
			if len(c.got.Plan.Summary) == 0 {
				t.Error("no summary")
			}
		})
	}
}

// What is broken already may be what the action repairs.
func TestRepairs(t *testing.T) {
	down := replica(whole().with(Database, func(p *quorum.Part) { p.Ready, p.Changing = 2, true }), "spine-db-3")
	down.Instances[2].Ready = false
	stuck := member(func(f *Member) {
		f.Service = f.with(Broker, func(p *quorum.Part) { p.Ready, p.Changing = 2, true })
		f.Members[1].Ready = false
	})
	for name, d := range map[string]Decision{
		"a standby that is down is rebuilt":           PlanRebuildReplica(down),
		"a member that a change waits for is rebuilt": PlanRebuildMember(stuck),
		"gateways that are all down are restarted":    PlanRestart(restart(whole().with("gateway", none), "gateway")),
		"a broker without a quorum is rebuilt":        PlanRebuildBroker(rebuild(whole().with(Broker, func(p *quorum.Part) { p.Ready, p.Changing = 1, true }))),
		"a broker of which nothing is known":          PlanRebuildBroker(rebuild(whole().with(Broker, unknown))),
		"a gateway that is down stops no rebuilding":  PlanRebuildBroker(rebuild(whole().with("gateway", missing))),
		"more gateways while a member is missing":     PlanScale(Scale{Service: whole().with("gateway", missing), Program: "gateway", Specified: 2, Now: 2, Wanted: 3}),
	} {
		if len(d.Blockers) > 0 {
			t.Errorf("%s: %v", name, d.Blockers)
		}
	}
}

func TestNamed(t *testing.T) {
	d := PlanRebuildReplica(replica(whole(), "spine-db-3"))
	got := Named(&d.Plan, d.Plan.Steps[0])
	if len(got) != 2 || got[0] != object("Pod", "spine-db-3") || got[1] != object("PersistentVolumeClaim", "spine-db-3") {
		t.Errorf("got %v", got)
	}
	if got := Named(&d.Plan, d.Plan.Steps[1]); len(got) != 0 {
		t.Errorf("the second step takes nothing away: %v", got)
	}
	if got := Kept(&d.Plan); !slices.Equal(got, []string{"spine-db-1", "spine-db-2"}) || Kept(nil) != nil {
		t.Errorf("kept %q", got)
	}
	if got := Named(nil, d.Plan.Steps[0]); got != nil {
		t.Errorf("without a plan: %v", got)
	}
}

// Whatever stands in a stored plan: nothing is named that the step does not touch.
func FuzzNamed(f *testing.F) {
	f.Add("Pod spine-messaging/spine-db-3 uid 1-2", "Pod spine-messaging/spine-db-3")
	f.Add("Pod a uid 1", "Pod a")
	f.Add("primary: spine-db-1", "")
	f.Add("Pod a/b/c uid x", "Pod a/b/c")
	f.Fuzz(func(t *testing.T, input, touch string) {
		for _, o := range Named(&api.Plan{Inputs: []string{input}}, api.PlannedStep{Touches: []string{touch}}) {
			if o.Touch() != touch || o.UID == "" || o.Name == "" && !strings.HasSuffix(touch, "/") {
				t.Errorf("%q touching %q named %+v", input, touch, o)
			}
		}
	})
}
