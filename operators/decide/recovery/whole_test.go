// SPDX-License-Identifier: Apache-2.0

package recovery

import (
	"strings"
	"testing"
	"time"
)

func TestWhole(t *testing.T) {
	well := func(change func(*Outcome)) Outcome {
		o := Outcome{Members: whole().Parts, Before: number(12), Now: number(9), Oldest: time.Hour, Elapsed: time.Minute}
		change(&o)
		return o
	}
	for name, c := range map[string]struct {
		outcome Outcome
		done    bool
		message string
	}{
		"all is well":                      {well(func(*Outcome) {}), true, "the backlog is 9"},
		"the probe fails":                  {well(func(o *Outcome) { o.ProbeFailure = "stage broker" }), false, "stage broker"},
		"a member is missing":              {well(func(o *Outcome) { o.Members = whole().with(Broker, missing).Parts }), false, "broker has 2 of 3"},
		"a part is unknown":                {well(func(o *Outcome) { o.Members = whole().with(Database, unknown).Parts }), false, "database is not known"},
		"nobody counts":                    {well(func(o *Outcome) { o.Now = nil }), false, "nobody answers"},
		"nobody counted before":            {well(func(o *Outcome) { o.Before, o.Now = nil, number(90_000) }), true, "90000"},
		"old work has piled up":            {well(func(o *Outcome) { o.Now = number(5000) }), false, "is 5000, and was 12"},
		"new work is on its way":           {well(func(o *Outcome) { o.Now, o.Oldest = number(5000), 2*time.Second }), true, "5000"},
		"inboxes that nobody empties":      {well(func(o *Outcome) { o.Before, o.Now = number(70_000), number(70_300) }), true, "70300"},
		"what was put back is on its way":  {well(func(o *Outcome) { o.Added, o.Now = 4000, number(4012) }), true, "4012"},
		"more than what was put back":      {well(func(o *Outcome) { o.Added, o.Now = 4000, number(9012) }), false, "was 4012"},
		"members do not matter to traffic": {well(func(o *Outcome) { o.Members = nil }), true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			done, message := Whole(c.outcome)
			if done != c.done || !strings.Contains(message, c.message) {
				t.Errorf("got %v: %s", done, message)
			}
		})
	}
}
