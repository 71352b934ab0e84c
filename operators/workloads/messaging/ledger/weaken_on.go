// SPDX-License-Identifier: Apache-2.0

//go:build weakened

package ledger

import (
	"bytes"
	"os"
)

// weakened acknowledges before the commit: the checker of hack/load must find the loss that follows.
var weakened = os.Getenv("SPINE_WEAKEN") == "ack-before-commit"

// copied is the group with bytes of its own: in this mode the submitter goes on while the batch is written.
func (g *group) copied() *group {
	c := &group{bytes: g.bytes}
	for _, e := range g.entries {
		twin, submission := *e, *e.Submission
		submission.Body = bytes.Clone(e.Body)
		twin.Submission = &submission
		c.entries = append(c.entries, &twin)
	}
	return c
}
