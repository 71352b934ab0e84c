// SPDX-License-Identifier: Apache-2.0

package recovery

import (
	"fmt"
	"time"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// Steps of RestoreDatabase.
const (
	StepRestoreCopy    = "restore-copy"
	StepCompareCopy    = "compare-copy"
	StepCarryAhead     = "carry-ahead"
	StepStopPrograms   = "stop-programs"
	StepCarryOver      = "carry-over"
	StepSwitchDatabase = "switch-database"
	StepStartPrograms  = "start-programs"
	StepRestBefore     = "rest-database-before"
)

// ArchiveLag is how long what is written may take to get into the archive: a segment of the log is
// closed after a minute at most, and then sent.
const ArchiveLag = 3 * time.Minute

// Restore is what RestoreDatabase rests on.
type Restore struct {
	Service
	// Object of the service, which carries the name of its database.
	Object Object
	// Paired: it is at two sites.
	Paired bool
	// HeldBy is the operation that keeps its programs from running; empty: none does, or this one.
	HeldBy string
	// Sleep is how far it is between awake and asleep; of a service that never sleeps it is awake.
	Sleep common.SleepPhase
	// Program is the name of the part that is stopped meanwhile, Replicas how many of it there are.
	Program  string
	Replicas int32
	// Now is the time, To the one whose state is asked for, and First the earliest that can be had;
	// zero while there is none.
	Now, To, First time.Time
	// Kept says that the database is kept in an object store, and Failing that what is written now
	// does not get there.
	Kept, Failing bool
	// Available says that the database accepts writes: what it holds can be read.
	Available bool
	// Cluster is the database in use, Copy the one that will be.
	Cluster, Copy Object
}

// grows says that the database is a ledger, whose rows never change: much of what came since can be
// carried over while the programs run. What bookings have changed since is little, and is only
// settled when nobody changes it any more.
func (f Restore) grows() bool { return f.Kind == "MessagingService" }

// PlanRestore has a copy of the database made from the archive, as it was at a time, carries over
// what came since, and has the programs go on with it. The database before stays, at rest.
func PlanRestore(f Restore) Decision {
	switch {
	case f.Elsewhere[Database] != "":
		return f.notOurs(Database)
	case f.HeldBy != "":
		return blocked(api.ReasonOtherOperation, "%s is held by %s, which has stopped its programs: wait until that has ended and they run again", f.Service, f.HeldBy)
	case f.Sleep != common.SleepAwake:
		return blocked(api.ReasonAsleep, "%s is not awake (status.sleep.phase is %s), so its database may not be there: wait until it is Awake", f.Service, f.Sleep)
	case f.Paired:
		return blocked(api.ReasonNotApplicable, "%s is at two sites: the other one's copy would follow a database that is not its origin any more", f.Service)
	case !f.Kept:
		return blocked(api.ReasonNotApplicable, "the database of %s is kept in no object store (it has no spec.database.backup): there is nothing to restore it from", f.Service)
	case f.First.IsZero():
		return blocked(api.ReasonNotApplicable, "no copy of the database of %s is in the object store yet", f.Service)
	case f.To.Before(f.First):
		return blocked(api.ReasonNotApplicable, "restoreTo is %s, and the earliest state that can be had is of %s", stamp(f.To), stamp(f.First))
	case f.To.After(f.Now.Add(-ArchiveLag)):
		return blocked(api.ReasonNotApplicable, "restoreTo is %s: give a time before %s, as what was written since may not be in the archive yet", stamp(f.To), stamp(f.Now.Add(-ArchiveLag)))
	case f.Cluster.UID == "" || !f.Available:
		return blocked(api.ReasonLossUnknown, "the database of %s does not accept writes: what was %s after %s can only be carried over while it does; repair it first", f.Service, f.unit().came, stamp(f.To))
	case f.Failing:
		return blocked(api.ReasonStateUnknown, "what %s writes does not get to the object store (see its condition Backup): the log up to %s may not be there", f.Cluster.Touch(), stamp(f.To))
	}
	d := plan(f.summary(), append(inputs(f.Object, f.Cluster), "to: "+stamp(f.To), "copy: "+f.Copy.Name), f.steps()...)
	d.Plan.PointOfNoReturn = StepSwitchDatabase
	return d
}

// summary says beforehand what of bookings nobody would guess.
func (f Restore) summary() string {
	changed := ""
	if !f.grows() {
		changed = "; a referral that was changed since keeps its later state, and what was destroyed since comes back;" +
			" a booking that comes back to a slot which was given to another patient since goes on the worklist of appointment slot issues"
	}
	return fmt.Sprintf("have the database of %s as it was at %s, with everything that was %s since%s; for clients it is away while the programs are stopped",
		f.Service, stamp(f.To), f.unit().came, changed)
}

func (f Restore) steps() []api.PlannedStep {
	copied, came := f.Copy, f.unit().came
	replicas := Count(int(f.Replicas), "replica", "replicas")
	steps := []api.PlannedStep{
		{
			Name: StepRestoreCopy, Summary: fmt.Sprintf("make %s beside it from the archive, and wait until every member is ready", copied.Name),
			Touches: touches(copied), Repeatable: true, Interruptible: true, ExpectedSeconds: 240, TimeoutSeconds: 4 * 3600,
		},
		{
			Name: StepCompareCopy, Summary: fmt.Sprintf("compare it with the one in use, row by row: what was %s before, and is there, has to be in it", came),
			Touches: touches(f.Cluster, copied), Repeatable: true, Interruptible: true, ExpectedSeconds: 30, TimeoutSeconds: 3600,
		},
	}
	over := fmt.Sprintf("carry over what was %s since, and compare it: nothing may be missing", came)
	if f.grows() {
		steps = append(steps, api.PlannedStep{
			Name: StepCarryAhead, Summary: fmt.Sprintf("carry over what was %s since, while the programs accept more", came),
			Touches: touches(copied), Repeatable: true, Interruptible: true, ExpectedSeconds: 120, TimeoutSeconds: 4 * 3600,
		})
		over = fmt.Sprintf("carry over the rest, and compare what was %s since: nothing may be missing", came)
	}
	return append(steps,
		api.PlannedStep{
			Name: StepStopPrograms, Summary: fmt.Sprintf("stop all %s of the %s, so that nothing more is written", replicas, f.Program),
			Touches: touches(f.Object), Repeatable: true, Interruptible: true, ExpectedSeconds: 30, TimeoutSeconds: 300,
		},
		api.PlannedStep{
			Name: StepCarryOver, Summary: over,
			Touches: touches(copied), Repeatable: true, Interruptible: true, ExpectedSeconds: 30, TimeoutSeconds: 1800,
		},
		api.PlannedStep{
			Name: StepSwitchDatabase, Summary: fmt.Sprintf("give %s the database %s", f.Service, copied.Name),
			Touches: touches(f.Object), Repeatable: true, ExpectedSeconds: 2, TimeoutSeconds: 120,
		},
		api.PlannedStep{
			Name: StepStartPrograms, Summary: fmt.Sprintf("start %s of the %s with it", replicas, f.Program),
			Touches: touches(f.Object), Repeatable: true, ExpectedSeconds: 30, TimeoutSeconds: 600,
		},
		api.PlannedStep{
			Name: StepRestBefore, Summary: fmt.Sprintf("stop the members of %s; their volumes stay until a person deletes them", f.Cluster.Name),
			Touches: touches(f.Cluster), Repeatable: true, ExpectedSeconds: 20, TimeoutSeconds: 600,
		},
	)
}

// unit is what the comparison of a database counts, in words: one, many, and how it came there.
type unit struct{ one, many, came string }

// unit of the service's database.
func (s Service) unit() unit {
	if s.Kind == "BookingService" {
		return unit{"referral", "referrals", "made or changed"}
	}
	return unit{"message", "messages", "accepted"}
}

// Comparison is what the two databases hold: messages of a ledger, referrals of bookings.
type Comparison struct {
	// Both hold these. Only the one in use holds OnlyFrom, of those that came before the time, and
	// After, of those that came since; only the copy holds OnlyTo. Differing are in both, and not alike.
	Both, OnlyFrom, OnlyTo, Differing, After int64
	// Carried were copied.
	Carried int64
	// Displaced are bookings that were had back, and whose slot was given to another patient since:
	// they are appointment slot issues now.
	Displaced int64
}

// Lacks says what keeps the copy from taking the place of the one in use; empty: nothing does.
func (s Service) Lacks(c Comparison, carried bool) string {
	u := s.unit()
	switch {
	case c.OnlyFrom > 0:
		return fmt.Sprintf("the copy lacks %s %s before that time", Count(int(c.OnlyFrom), u.one, u.many), u.came)
	case carried && c.After > 0:
		return fmt.Sprintf("the copy lacks %s %s since", Count(int(c.After), u.one, u.many), u.came)
	}
	return ""
}

// Compared says for people what the copy has before anything is carried over to it.
func (s Service) Compared(c Comparison) string {
	u, alone := s.unit(), "are only in the one in use"
	if s.Kind == "BookingService" {
		alone = "are so in the one in use only"
	}
	return fmt.Sprintf("%d %s are in both; %d are had back; %d %s since %s", c.Both, u.many, c.OnlyTo+c.Differing, c.After, u.came, alone)
}

// Ahead says for people what was carried over while the programs ran.
func (s Service) Ahead(c Comparison) string {
	return fmt.Sprintf("%d %s were carried over", c.Carried, s.unit().many)
}

// CarriedOver says for people what the copy has of what came since its time, and who has to be
// offered another appointment.
func (s Service) CarriedOver(c Comparison) string {
	u := s.unit()
	text := fmt.Sprintf("nothing %s since is missing, of %s; %d of them were carried over with the programs stopped",
		u.came, Count(int(c.Both), u.one, u.many), c.Carried)
	switch {
	case c.Displaced == 1:
		text += "; 1 booking that was had back had lost its slot to another patient since: it is on the worklist of appointment slot issues"
	case c.Displaced > 1:
		text += fmt.Sprintf("; %d bookings that were had back had lost their slot to another patient since: they are on the worklist of appointment slot issues", c.Displaced)
	}
	return text
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
