// SPDX-License-Identifier: Apache-2.0

// Package sleep decides what part of a service is stopped or started next when it is put to
// sleep or woken. What it rests on is observed, so that whoever decides next goes on from there.
//
// A service falls asleep from its clients inwards, and wakes the other way round. A step is
// begun when the one before it was seen to be done:
//
//	edge      programs let nobody in, and no evening poll begins; nobody is in any more
//	service   every event of the outbox is sent; the program's replicas are gone
//	database  hibernated: its instances are gone, its volumes stay
//
// Bookings have no broker of their own: their events go out through the message gateway, whose
// broker is another service's. It is the outbox that has to be empty.
package sleep

import common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"

// Facts are all that a decision rests on.
type Facts struct {
	// Asked is what the specification asks for.
	Asked common.Activity
	// Was is the phase that status says.
	Was common.SleepPhase
	// Operation that holds the service, in words; empty when none does.
	Operation string
	Edge      Edge
	Program   Program
	Database  Database
}

// Edge is where clients come in.
type Edge struct {
	// Closed: the programs are told to let nobody in.
	Closed bool
	// Admitting names the replicas that have not said that nobody is let in and nobody is in.
	// Known while Closed.
	Admitting []string
	// Refusing names the ready replicas that have not said that clients are let in. Known while
	// not Closed, on the way to be awake.
	Refusing []string
}

// Program is how the service's own program is.
type Program struct {
	// Exists says that its Deployment was made.
	Exists bool
	// Known says that the counts below are of the Deployment as it stands.
	Known bool
	// Asked for, there at all, and serving: counts of replicas.
	Asked, There, Serving int32
	// Outbox counts events that are not sent, asked after Admitting was seen to be empty. Nil:
	// nobody answers, or nobody was asked.
	Outbox *int64
	// Drained: it is written down that nobody was in and the outbox was empty. That is taken back
	// before anybody is let in, and before a replica is started to let somebody in.
	Drained bool
	// Proved: the deep probe has passed since the program was started.
	Proved bool
}

// gone says that no replica is left.
func (p Program) gone() bool { return !p.Exists || p.Known && p.Asked == 0 && p.There == 0 }

// Database is how the service's database is.
type Database struct {
	// Elsewhere: somebody else runs it, so it is not for us to stop.
	Elsewhere bool
	// Exists says that it was made.
	Exists bool
	// Hibernating: it is asked to have no instances. Hibernated: it has none any more.
	Hibernating, Hibernated bool
	// Writable says that it accepts durable writes.
	Writable bool
}

// Act is what to do now, one at a time.
type Act string

const (
	// None: wait, or there is nothing to do.
	None Act = ""
	// CloseEdge tells the programs to let nobody in.
	CloseEdge Act = "CloseEdge"
	// RecordDrain writes down that nothing is in flight and the outbox is empty. Only the next
	// decision rests on it, so that whoever makes that finds it even if this manager ends.
	RecordDrain Act = "RecordDrain"
	// ForgetDrain takes back what RecordDrain wrote, which will not be so for long. Only the next
	// decision does what ends it.
	ForgetDrain Act = "ForgetDrain"
	// StopProgram asks for no replica.
	StopProgram Act = "StopProgram"
	// Hibernate asks for no instance of the database.
	Hibernate Act = "Hibernate"
	// Rouse asks for the database's instances.
	Rouse Act = "Rouse"
	// StartProgram asks for the program's replicas.
	StartProgram Act = "StartProgram"
	// OpenEdge tells the programs to let clients in.
	OpenEdge Act = "OpenEdge"
)

// Decision is what to do now.
type Decision struct {
	// Phase that the service is in.
	Phase common.SleepPhase
	Act   Act
	// Away: parts are away on purpose, so that nobody need be told of what is missing.
	Away bool
	// Hold: nothing else changes a part meanwhile. What the specification asks for besides is
	// brought about when the service wakes.
	Hold bool
	// Unknown: it waits for what nobody can tell.
	Unknown bool
	// Message says what is done or waited for, and of a sleeping service what goes on. Empty
	// when the service is awake.
	Message string
}
