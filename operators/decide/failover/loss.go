// SPDX-License-Identifier: Apache-2.0

package failover

import (
	"fmt"
	"time"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// Following is what this site, which stands by, knows of what it has.
type Following struct {
	// HeldAllAt is when it last knew that it had all that the other one had acknowledged; zero: never.
	HeldAllAt time.Time
	// PerSecond is the most that the other one was seen to acknowledge in a second; Measured is
	// false while that was never seen.
	PerSecond int64
	Measured  bool
}

const nobodyKnows = -1

// Loss is the most that this site lacks of what the other one has acknowledged, should it
// take over now. Nothing, while the vote on record is that both have all.
func (f Take) Loss(have Following) api.Loss {
	switch {
	case f.Vote == nil:
		return api.Loss{Messages: nobodyKnows, Seconds: nobodyKnows}
	case !f.Vote.Alone:
		return api.Loss{}
	case have.HeldAllAt.IsZero():
		return api.Loss{Messages: nobodyKnows, Seconds: nobodyKnows}
	}
	// It may have acknowledged until its vote ran out, by a clock that is ahead.
	end := f.Vote.Until
	if f.Promise.Epoch == f.Vote.Epoch && f.Promise.Until.After(end) {
		end = f.Promise.Until
	}
	end = end.Add(f.Skew)
	if now := f.Now.Add(f.Skew); end.After(now) {
		end = now
	}
	window := max(end.Sub(have.HeldAllAt), 0)
	loss := api.Loss{Seconds: int64((window + time.Second - 1) / time.Second), Messages: nobodyKnows}
	if have.Measured {
		loss.Messages = loss.Seconds * have.PerSecond
	}
	return loss
}

// Within says what of a loss is not allowed. A loss that is not known is only accepted by
// name, and what is known of it has to be within the limit all the same.
func Within(loss api.Loss, limit api.LossLimit, acceptUnknown bool) []api.Blocker {
	var out []api.Blocker
	if (loss.Messages < 0 || loss.Seconds < 0) && !acceptUnknown {
		out = append(out, api.Blocker{Reason: api.ReasonLossUnknown, Message: "nobody can tell how much acknowledged work would be lost: " +
			"wait until the other site answers, or make a failover with acceptUnknownLoss and the reason for it"})
	}
	if loss.Messages > limit.Messages || loss.Seconds > limit.Seconds {
		out = append(out, api.Blocker{Reason: api.ReasonLossOverLimit, Message: fmt.Sprintf(
			"up to %s would be lost, and maxLoss allows %d messages and %d seconds: wait until the other site answers, or make a failover with a maxLoss that you answer for",
			Words(loss), limit.Messages, limit.Seconds)})
	}
	return out
}

// Words say a loss.
func Words(loss api.Loss) string {
	say := func(n int64, what string) string {
		if n < 0 {
			return "an unknown number of " + what
		}
		return fmt.Sprintf("%d %s", n, what)
	}
	return say(loss.Messages, "messages") + " in " + say(loss.Seconds, "seconds")
}
