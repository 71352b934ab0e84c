// SPDX-License-Identifier: Apache-2.0

package sleep

import (
	"strings"
	"testing"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// The states of the parts, from awake to asleep.
var (
	serving  = Program{Exists: true, Known: true, Asked: 2, There: 2, Serving: 2, Proved: true}
	idle     = Program{Exists: true, Known: true, Asked: 2, There: 2, Serving: 2, Proved: true, Outbox: count(0)}
	busy     = Program{Exists: true, Known: true, Asked: 2, There: 2, Serving: 2, Proved: true, Outbox: count(7)}
	drained  = Program{Exists: true, Known: true, Asked: 2, There: 2, Serving: 2, Proved: true, Drained: true}
	ended    = Program{Exists: true, Known: true}
	stopping = Program{Exists: true, Known: true, There: 1, Drained: true}
	stopped  = Program{Exists: true, Known: true, Drained: true}
	starting = Program{Exists: true, Known: true, Asked: 2, There: 2}
	unproved = Program{Exists: true, Known: true, Asked: 2, There: 2, Serving: 2}

	open, closed = Edge{}, Edge{Closed: true}
	admitting    = Edge{Closed: true, Admitting: []string{"ers-service-1"}}
	refusing     = Edge{Refusing: []string{"10.0.0.1:8446"}}

	up          = Database{Exists: true, Writable: true}
	down        = Database{Exists: true}
	hibernating = Database{Exists: true, Hibernating: true}
	hibernated  = Database{Exists: true, Hibernating: true, Hibernated: true}
	elsewhere   = Database{Elsewhere: true}
)

func count(n int64) *int64 { return &n }

func TestDecide(t *testing.T) {
	const (
		awake, falling, asleep, waking = common.SleepAwake, common.SleepFalling, common.SleepAsleep, common.SleepWaking
		wanted, unwanted               = common.ActivityAsleep, common.ActivityAwake
	)
	unknown := stopped
	unknown.Known = false
	for name, c := range map[string]struct {
		asked     common.Activity
		was       common.SleepPhase
		edge      Edge
		program   Program
		database  Database
		operation string

		phase      common.SleepPhase
		act        Act
		away, hold bool
		says       string
	}{
		"awake":                                           {asked: unwanted, was: awake, edge: open, program: serving, database: up, phase: awake},
		"awake before anything was made":                  {asked: unwanted, was: awake, phase: awake},
		"awake with a failed database":                    {asked: unwanted, was: awake, edge: open, program: serving, database: down, phase: awake},
		"awake, scaled to none by hand":                   {asked: unwanted, was: awake, edge: open, program: ended, database: up, phase: awake},
		"of nobody who says what is asked":                {was: awake, edge: open, program: serving, database: up, phase: awake},
		"asked for sleep":                                 {asked: wanted, was: awake, edge: open, program: serving, database: up, phase: falling, act: CloseEdge, hold: true, says: "edge"},
		"asked for sleep while an operation runs":         {asked: wanted, was: awake, edge: open, program: serving, database: up, operation: "DrainHost x/y", phase: awake, says: "DrainHost x/y has ended"},
		"a replica still lets clients in":                 {asked: wanted, was: falling, edge: admitting, program: serving, database: up, phase: falling, hold: true, says: "not yet ers-service-1"},
		"nobody counts the outbox":                        {asked: wanted, was: falling, edge: closed, program: serving, database: up, phase: falling, hold: true, says: "says how many events"},
		"events wait for the gateway":                     {asked: wanted, was: falling, edge: closed, program: busy, database: up, phase: falling, hold: true, says: "7 events"},
		"everything is sent":                              {asked: wanted, was: falling, edge: closed, program: idle, database: up, phase: falling, act: RecordDrain, hold: true, says: "every event is sent"},
		"everything is sent, a manager later":             {asked: wanted, was: awake, edge: closed, program: idle, database: up, phase: falling, act: RecordDrain, hold: true, says: "every event is sent"},
		"that is written down":                            {asked: wanted, was: falling, edge: closed, program: drained, database: up, phase: falling, act: StopProgram, away: true, hold: true, says: "service"},
		"that is written down, and an operation runs":     {asked: wanted, was: falling, edge: closed, program: drained, database: up, operation: "DrainHost x/y", phase: falling, away: true, hold: true, says: "DrainHost x/y"},
		"a replica finishes":                              {asked: wanted, was: falling, edge: closed, program: stopping, database: up, phase: falling, away: true, hold: true, says: "replicas are gone"},
		"the counts are of something older":               {asked: wanted, was: falling, edge: closed, program: unknown, database: up, phase: falling, away: true, hold: true, says: "replicas are gone"},
		"no replica is left":                              {asked: wanted, was: falling, edge: closed, program: stopped, database: up, phase: falling, act: Hibernate, away: true, hold: true, says: "database"},
		"no replica is left, and it had not sent all":     {asked: wanted, was: falling, edge: closed, program: ended, database: up, phase: falling, act: StartProgram, away: true, hold: true, says: "nobody saw that every event was sent"},
		"the database's instances go":                     {asked: wanted, was: falling, edge: closed, program: stopped, database: hibernating, phase: falling, away: true, hold: true, says: "instances are gone"},
		"asleep":                                          {asked: wanted, was: falling, edge: closed, program: stopped, database: hibernated, phase: asleep, away: true, hold: true, says: "every part is stopped"},
		"asleep, and status was lost":                     {asked: wanted, was: awake, edge: closed, program: ended, database: hibernated, phase: asleep, away: true, hold: true, says: "every part is stopped"},
		"asleep, and an operation has the lease":          {asked: wanted, was: asleep, edge: closed, program: stopped, database: hibernated, operation: "x", phase: asleep, away: true, hold: true, says: "every part is stopped"},
		"asleep, and somebody scaled it up":               {asked: wanted, was: asleep, edge: closed, program: starting, database: hibernated, phase: falling, act: StopProgram, away: true, hold: true, says: "service"},
		"asleep, and somebody let clients in":             {asked: wanted, was: asleep, edge: open, program: ended, database: hibernated, phase: falling, act: CloseEdge, away: true, hold: true, says: "edge"},
		"clients are let in after it was drained":         {asked: wanted, was: falling, edge: open, program: drained, database: up, phase: falling, act: ForgetDrain, hold: true, says: "edge"},
		"asleep beside a database of somebody else":       {asked: wanted, was: falling, edge: closed, program: stopped, database: elsewhere, phase: asleep, away: true, hold: true, says: "somebody else runs it"},
		"asleep from the start":                           {asked: wanted, was: awake, edge: closed, phase: asleep, away: true, hold: true, says: "every part is stopped"},
		"woken":                                           {asked: unwanted, was: asleep, edge: closed, program: stopped, database: hibernated, phase: waking, act: Rouse, away: true, hold: true, says: "database"},
		"woken while an operation runs":                   {asked: unwanted, was: asleep, edge: closed, program: stopped, database: hibernated, operation: "x", phase: waking, act: Rouse, away: true, hold: true, says: "database"},
		"woken while the database's instances go":         {asked: unwanted, was: falling, edge: closed, program: stopped, database: hibernating, phase: waking, act: Rouse, away: true, hold: true, says: "database"},
		"the database starts":                             {asked: unwanted, was: waking, edge: closed, program: stopped, database: down, phase: waking, away: true, hold: true, says: "accepts writes"},
		"the database accepts writes":                     {asked: unwanted, was: waking, edge: closed, program: ended, database: up, phase: waking, act: StartProgram, away: true, hold: true, says: "service"},
		"that it was drained is taken back first":         {asked: unwanted, was: waking, edge: closed, program: stopped, database: up, phase: waking, act: ForgetDrain, away: true, hold: true, says: "service"},
		"that of one that never stopped":                  {asked: unwanted, was: falling, edge: closed, program: drained, database: up, phase: waking, act: ForgetDrain, away: true, hold: true, says: "service"},
		"the database of somebody else is there":          {asked: unwanted, was: asleep, edge: closed, program: ended, database: elsewhere, phase: waking, act: StartProgram, away: true, hold: true, says: "service"},
		"woken while a replica finishes":                  {asked: unwanted, was: falling, edge: closed, program: stopping, database: up, phase: waking, act: ForgetDrain, away: true, hold: true, says: "service"},
		"replicas start":                                  {asked: unwanted, was: waking, edge: closed, program: starting, database: up, phase: waking, away: true, says: "replica serves"},
		"replicas serve":                                  {asked: unwanted, was: waking, edge: closed, program: unproved, database: up, phase: waking, away: true, says: "deep probe"},
		"the deep probe has passed":                       {asked: unwanted, was: waking, edge: closed, program: serving, database: up, phase: waking, act: OpenEdge, away: true, says: "edge"},
		"woken while the outbox empties":                  {asked: unwanted, was: falling, edge: closed, program: busy, database: up, phase: waking, act: OpenEdge, away: true, says: "edge"},
		"woken before it ever ran":                        {asked: unwanted, was: asleep, edge: closed, phase: waking, act: OpenEdge, away: true, says: "edge"},
		"a replica still keeps clients out":               {asked: unwanted, was: waking, edge: refusing, program: serving, database: up, phase: waking, says: "not yet 10.0.0.1:8446"},
		"every replica lets clients in":                   {asked: unwanted, was: waking, edge: open, program: serving, database: up, phase: awake},
		"asked for sleep again while the database starts": {asked: wanted, was: waking, edge: closed, program: stopped, database: down, phase: falling, act: Hibernate, away: true, hold: true, says: "database"},
		"asked for sleep again while replicas start":      {asked: wanted, was: waking, edge: admitting, program: starting, database: up, phase: falling, hold: true, says: "not yet"},
		"asked for sleep again as the edge opens":         {asked: wanted, was: waking, edge: open, program: serving, database: up, phase: falling, act: CloseEdge, hold: true, says: "edge"},
	} {
		t.Run(name, func(t *testing.T) {
			d := Decide(Facts{Asked: c.asked, Was: c.was, Operation: c.operation, Edge: c.edge, Program: c.program, Database: c.database})
			if d.Phase != c.phase || d.Act != c.act || d.Away != c.away || d.Hold != c.hold {
				t.Errorf("got %+v", d)
			}
			if !strings.Contains(d.Message, c.says) || (d.Message == "") != (c.says == "") {
				t.Errorf("it says %q, want %q", d.Message, c.says)
			}
			if d.Unknown != (name == "nobody counts the outbox") {
				t.Errorf("unknown: %v", d.Unknown)
			}
		})
	}
}
