// SPDX-License-Identifier: Apache-2.0

package sleep

import (
	"fmt"
	"strings"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// Decide says what is next, on the way that the specification asks for now: a service that
// falls asleep turns round where it stands, and so does one that wakes.
func Decide(f Facts) Decision {
	if f.Asked != common.ActivityAsleep {
		return wake(f)
	}
	d := fall(f)
	switch {
	case f.Operation == "" || d.Act == None:
	case !f.Edge.Closed:
		// The operation has the service, whole.
		return Decision{Phase: common.SleepAwake, Message: "it falls asleep when " + f.Operation + " has ended"}
	default:
		d.Act, d.Message = None, "waiting until "+f.Operation+" has ended"
	}
	return d
}

// fall stops the parts from the edge inwards.
func fall(f Facts) Decision {
	p, db := f.Program, f.Database
	d := Decision{Phase: common.SleepFalling, Hold: true, Away: p.Exists && p.Asked == 0}
	// A database that hibernates was told to after the program had gone.
	drained := p.Drained || db.Hibernating || !p.Exists
	switch {
	case !f.Edge.Closed && p.Drained:
		d.Act, d.Message = ForgetDrain, "edge: clients are let in, so nothing is known of what they leave"
	case !f.Edge.Closed:
		d.Act, d.Message = CloseEdge, "edge: telling every replica to let nobody in"
	case !drained && p.Asked == 0:
		// Whatever stopped it, nobody saw that it had sent everything: behind the closed edge, it does.
		d.Act, d.Message = StartProgram, "service: no replica runs, and nobody saw that every event was sent: starting it for that"
	case !drained && len(f.Edge.Admitting) > 0:
		d.Message = "edge: waiting until every replica lets nobody in and has finished its requests: not yet " + strings.Join(f.Edge.Admitting, ", ")
	case !drained && p.Outbox == nil:
		d.Unknown, d.Message = true, "service: waiting for a replica that says how many events are not sent yet"
	case !drained && *p.Outbox > 0:
		d.Message = fmt.Sprintf("service: waiting until the message gateway has accepted %d events of the outbox", *p.Outbox)
	case !drained:
		d.Act, d.Message = RecordDrain, "service: nothing is in flight and every event is sent"
	case p.Asked > 0:
		d.Act, d.Away, d.Message = StopProgram, true, "service: stopping its replicas"
	case !p.gone():
		d.Message = "service: waiting until its replicas are gone"
	case db.Elsewhere:
		d.Phase, d.Away, d.Message = common.SleepAsleep, true, "the database goes on: somebody else runs it"
	case db.Exists && !db.Hibernating:
		d.Act, d.Message = Hibernate, "database: hibernating it"
	case db.Exists && !db.Hibernated:
		d.Message = "database: waiting until its instances are gone"
	default:
		d.Phase, d.Away, d.Message = common.SleepAsleep, true, "every part is stopped"
	}
	return d
}

// wake starts the parts from the database outwards. The closed edge is what says that the
// service slept: it is the first to be closed, and the last to be opened.
func wake(f Facts) Decision {
	p, db := f.Program, f.Database
	d := Decision{Phase: common.SleepWaking, Hold: true, Away: true}
	switch {
	case db.Hibernating:
		d.Act, d.Message = Rouse, "database: starting its instances"
	case !f.Edge.Closed && f.Was != common.SleepAwake && len(f.Edge.Refusing) > 0:
		d.Hold, d.Away = false, false
		d.Message = "edge: waiting until every replica lets clients in: not yet " + strings.Join(f.Edge.Refusing, ", ")
	case !f.Edge.Closed:
		d = Decision{Phase: common.SleepAwake}
	case p.Exists && p.Asked == 0 && !db.Elsewhere && !db.Writable:
		d.Message = "database: waiting until it accepts writes"
	case p.Drained:
		d.Act, d.Message = ForgetDrain, "service: it is to have work again"
	case p.Exists && p.Asked == 0:
		d.Act, d.Message = StartProgram, "service: starting its replicas"
	case p.Exists && p.Serving == 0:
		// From here on a change of the program may go back, as it may at any time.
		d.Hold, d.Message = false, "service: waiting until a replica serves"
	case p.Exists && !p.Proved:
		d.Hold, d.Message = false, "service: waiting until the deep probe has passed"
	default:
		d.Act, d.Hold, d.Message = OpenEdge, false, "edge: telling every replica to let clients in"
	}
	return d
}
