// SPDX-License-Identifier: Apache-2.0

package recovery

import (
	"fmt"
	"time"

	"spine.nhs.uk/controlplane/operators/decide/quorum"
)

// Outcome is what was found after the last step.
type Outcome struct {
	// ProbeFailure is why the deep probe did not get through. Empty: it did.
	ProbeFailure string
	// Members that have to be there: every part's for an action that took members away, and
	// none for others, which may well be used while some are missing.
	Members []quorum.Part
	// Before is the acknowledged, unprocessed work when the operation began; nil when nobody
	// could count it. Now is what there is, and Oldest its age; Now is nil when nobody answers.
	Before, Now *int64
	Oldest      time.Duration
	// Added is work that the operation itself put back.
	Added int64
	// Elapsed since the first step began.
	Elapsed time.Duration
}

// flowing is how many messages may be on their way at any moment without there being a
// backlog: what comes in a seventh of a second at the published peak of 3,500 messages/s.
const flowing = 500

// Whole says whether the service is well again, and if not, what is still missing. The
// backlog is back when everything acknowledged before the operation is settled, or when
// there is no more than before: inboxes that nobody collects are not for it to empty.
func Whole(o Outcome) (bool, string) {
	if o.ProbeFailure != "" {
		return false, "the deep probe does not get through: " + o.ProbeFailure
	}
	if d := quorum.MayDisrupt("", o.Members); d.Verdict != quorum.Allow {
		return false, d.Message
	}
	switch {
	case o.Now == nil:
		return false, "nobody answers who could count the backlog"
	case o.Before == nil, *o.Now <= *o.Before+o.Added+flowing, o.Oldest < o.Elapsed:
		return true, fmt.Sprintf("the deep probe gets through and the backlog is %d", *o.Now)
	}
	return false, fmt.Sprintf("the backlog is %d, and was %d before", *o.Now, *o.Before+o.Added)
}
