// SPDX-License-Identifier: Apache-2.0

package site

import (
	"testing"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

func TestDecide(t *testing.T) {
	primary := Database{Exists: true, Obeys: true, Writable: true}
	follower := Database{Exists: true, Obeys: true, Follows: true}
	none, two := Program{Exists: true, Known: true}, Program{Exists: true, Known: true, Asked: 2, There: 2, Serving: 2}
	const (
		active, quiesced, standby = common.SiteActive, common.SiteQuiesced, common.SiteStandby
	)
	for name, c := range map[string]struct {
		role              common.SiteRole
		database          Database
		program           Program
		stop, start, join bool
		brought           common.SiteRole
	}{
		"active, as it should be":                      {role: active, database: primary, program: two, brought: active},
		"active before anything was made":              {role: active},
		"active, the database is still told to follow": {role: active, database: Database{Exists: true, Follows: true}, program: none, join: true, start: true},
		"active, the database is being promoted":       {role: active, database: Database{Exists: true, Obeys: true}, program: none, start: true},
		"active, serving before the database does":     {role: active, database: Database{Exists: true, Obeys: true}, program: two},
		"active, the database accepts writes":          {role: active, database: primary, program: none, start: true},
		"active, the program starts":                   {role: active, database: primary, program: Program{Exists: true, Known: true, Asked: 2, There: 2}},
		"active, now with both sites":                  {role: active, database: Database{Exists: true, Writable: true}, program: two, join: true},
		"quiesced, the program serves":                 {role: quiesced, database: primary, program: two, stop: true},
		"quiesced, the program finishes":               {role: quiesced, database: primary, program: Program{Exists: true, Known: true, There: 1}},
		"quiesced, the counts are of something older":  {role: quiesced, database: primary, program: Program{Exists: true}},
		"quiesced":                                      {role: quiesced, database: primary, program: none, brought: quiesced},
		"quiesced before anything was made":             {role: quiesced, brought: quiesced},
		"standby, all of it serves":                     {role: standby, database: Database{Exists: true, Writable: true}, program: two, stop: true, join: true},
		"standby, the database is being demoted":        {role: standby, database: Database{Exists: true, Obeys: true}, program: none},
		"standby, the program finishes":                 {role: standby, database: follower, program: Program{Exists: true, Known: true, There: 1, Serving: 1}},
		"standby":                                       {role: standby, database: follower, program: none, brought: standby},
		"standby before anything was made":              {role: standby},
		"an order that makes no sense changes nothing":  {role: "Both", database: Database{Exists: true}, program: two},
		"standby, whose program was started by a fault": {role: standby, database: follower, program: two, stop: true},
	} {
		t.Run(name, func(t *testing.T) {
			d := Decide(Facts{Order: common.SiteOrder{Role: c.role}, Database: c.database, Program: c.program})
			if d.ApplyProgram != (c.stop || c.start) || d.ApplyDatabase != c.join || d.Brought != c.brought {
				t.Errorf("got %+v", d)
			}
			if (d.Message == "") != (c.brought != "") {
				t.Errorf("message %q with role %q", d.Message, d.Brought)
			}
		})
	}
}
