// SPDX-License-Identifier: Apache-2.0

// Package site decides what a service of two sites has to do at this one, by the order of
// its site's manager, and says what of an order is brought about.
package site

import (
	"fmt"

	common "spine.nhs.uk/controlplane/operators/api/common/v1alpha1"
)

// Facts are all that a decision rests on.
type Facts struct {
	// Order in force.
	Order common.SiteOrder
	// Database and Program of the service.
	Database Database
	Program  Program
}

// Database is how the service's database is.
type Database struct {
	// Exists says that it was made.
	Exists bool
	// Obeys says that it is asked for as the order has it: which site is written to, by which
	// token, and who has to have a commit.
	Obeys bool
	// Follows says that it is asked for, and runs, as a follower of the other site.
	Follows bool
	// Writable says that a primary of this site accepts durable writes.
	Writable bool
}

// Program is how the service's own program is.
type Program struct {
	// Exists says that its Deployment was made.
	Exists bool
	// Known says that the counts below are of the Deployment as it stands.
	Known bool
	// Asked for, there at all, and serving: counts of replicas.
	Asked, There, Serving int32
}

// Decision is what to do now, whatever else is under way at the service: an order of the
// site waits for nobody.
type Decision struct {
	// ApplyProgram and ApplyDatabase, in this order.
	ApplyProgram, ApplyDatabase bool
	// Brought is the role that is brought about; empty while it is not.
	Brought common.SiteRole
	// Message says what is waited for; empty when the order is brought about.
	Message string
}

// Decide follows the order. Where a service must not serve, its program goes first, and
// nothing is waited for; where it is to serve, the program starts while the database is being
// promoted, and waits for that itself: until then no write succeeds.
func Decide(f Facts) Decision {
	d := Decision{ApplyDatabase: f.Database.Exists && !f.Database.Obeys}
	p := f.Program
	gone := !p.Exists || p.Known && p.Asked == 0 && p.There == 0
	if f.Order.Role != common.SiteActive {
		d.ApplyProgram = p.Exists && p.Asked > 0
	}
	switch f.Order.Role {
	case common.SiteActive:
		d.ApplyProgram = p.Exists && p.Asked == 0
		switch {
		case !f.Database.Obeys || !f.Database.Writable:
			d.Message = "waiting until the database accepts writes here"
		case p.Serving == 0:
			d.Message = "waiting until the program serves"
		}
	case common.SiteQuiesced:
		if !gone {
			d.Message = "waiting until the program has finished its work"
		}
	case common.SiteStandby:
		switch {
		case !gone:
			d.Message = "waiting until the program has finished its work"
		case !f.Database.Obeys || !f.Database.Follows:
			d.Message = "waiting until the database follows the other site"
		}
	default:
		d = Decision{Message: fmt.Sprintf("the order has the role %q, which is none", f.Order.Role)}
		return d
	}
	if d.Message == "" {
		d.Brought = f.Order.Role
	}
	return d
}
