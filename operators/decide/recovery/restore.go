// SPDX-License-Identifier: Apache-2.0

package recovery

import (
	"fmt"
	"time"

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
	// Messaging: it is a MessagingService, whose ledger only ever grows. Paired: it is at two sites.
	Messaging, Paired bool
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

// PlanRestore has a copy of the ledger made from the archive, as it was at a time, carries over what
// was accepted since, and has the gateways go on with it. The ledger before stays, at rest.
func PlanRestore(f Restore) Decision {
	switch {
	case f.Elsewhere[Database] != "":
		return f.notOurs(Database)
	case !f.Messaging:
		return blocked(api.ReasonNotApplicable, "%s changes what it has written: what came after a time cannot be carried over to a state from before, and would be lost", f.Service)
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
		return blocked(api.ReasonLossUnknown, "the database of %s does not accept writes: what was accepted after %s can only be carried over while it does; repair it first", f.Service, stamp(f.To))
	case f.Failing:
		return blocked(api.ReasonStateUnknown, "what %s writes does not get to the object store (see its condition Backup): the log up to %s may not be there", f.Cluster.Touch(), stamp(f.To))
	}
	copied := f.Copy
	d := plan(fmt.Sprintf("have the database of %s as it was at %s, with everything that was accepted since; for clients it is away while the programs are stopped", f.Service, stamp(f.To)),
		append(inputs(f.Object, f.Cluster), "to: "+stamp(f.To), "copy: "+copied.Name),
		api.PlannedStep{
			Name: StepRestoreCopy, Summary: fmt.Sprintf("make %s beside it from the archive, and wait until every member is ready", copied.Name),
			Touches: touches(copied), Repeatable: true, Interruptible: true, ExpectedSeconds: 240, TimeoutSeconds: 4 * 3600,
		},
		api.PlannedStep{
			Name: StepCompareCopy, Summary: "compare it with the one in use, row by row: what was accepted before, and is there, has to be in it",
			Touches: touches(f.Cluster, copied), Repeatable: true, Interruptible: true, ExpectedSeconds: 30, TimeoutSeconds: 3600,
		},
		api.PlannedStep{
			Name: StepCarryAhead, Summary: "carry over what was accepted since, while the programs accept more",
			Touches: touches(copied), Repeatable: true, Interruptible: true, ExpectedSeconds: 120, TimeoutSeconds: 4 * 3600,
		},
		api.PlannedStep{
			Name: StepStopPrograms, Summary: fmt.Sprintf("stop all %s of the %s, so that nothing more is written", Count(int(f.Replicas), "replica", "replicas"), f.Program),
			Touches: touches(f.Object), Repeatable: true, Interruptible: true, ExpectedSeconds: 30, TimeoutSeconds: 300,
		},
		api.PlannedStep{
			Name: StepCarryOver, Summary: "carry over the rest, and compare what was accepted since: nothing may be missing",
			Touches: touches(copied), Repeatable: true, Interruptible: true, ExpectedSeconds: 30, TimeoutSeconds: 1800,
		},
		api.PlannedStep{
			Name: StepSwitchDatabase, Summary: fmt.Sprintf("give %s the database %s", f.Service, copied.Name),
			Touches: touches(f.Object), Repeatable: true, ExpectedSeconds: 2, TimeoutSeconds: 120,
		},
		api.PlannedStep{
			Name: StepStartPrograms, Summary: fmt.Sprintf("start %s of the %s with it", Count(int(f.Replicas), "replica", "replicas"), f.Program),
			Touches: touches(f.Object), Repeatable: true, ExpectedSeconds: 30, TimeoutSeconds: 600,
		},
		api.PlannedStep{
			Name: StepRestBefore, Summary: fmt.Sprintf("stop the members of %s; their volumes stay until a person deletes them", f.Cluster.Name),
			Touches: touches(f.Cluster), Repeatable: true, ExpectedSeconds: 20, TimeoutSeconds: 600,
		},
	)
	d.Plan.PointOfNoReturn = StepSwitchDatabase
	return d
}

// Comparison is what the two ledgers hold, in messages.
type Comparison struct {
	// Both hold these. Only the one in use holds OnlyFrom, of those accepted before the time, and
	// After, of those accepted since; only the copy holds OnlyTo. Differing are in both, and not alike.
	Both, OnlyFrom, OnlyTo, Differing, After int64
	// Carried were copied.
	Carried int64
}

// Lacks says what keeps the copy from taking the place of the one in use; empty: nothing does.
func (c Comparison) Lacks(carried bool) string {
	switch {
	case c.OnlyFrom > 0:
		return fmt.Sprintf("the copy lacks %s accepted before that time", Count(int(c.OnlyFrom), "message", "messages"))
	case carried && c.After > 0:
		return fmt.Sprintf("the copy lacks %s accepted since", Count(int(c.After), "message", "messages"))
	}
	return ""
}

// String says for people what the copy has before anything is carried over to it.
func (c Comparison) String() string {
	return fmt.Sprintf("%d messages are in both; %d are had back; %d accepted since are only in the one in use", c.Both, c.OnlyTo+c.Differing, c.After)
}

// Since says for people what the copy has of what was accepted since its time.
func (c Comparison) Since() string {
	return fmt.Sprintf("nothing accepted since is missing, of %s; %d of them were carried over with the programs stopped",
		Count(int(c.Both), "message", "messages"), c.Carried)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
