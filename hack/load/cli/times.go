// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"io"

	"spine.nhs.uk/controlplane/hack/load/check"
)

// times is the part of a check's result that judges nothing.
type times struct {
	Counts   check.Counts    `json:"counts"`
	Messages check.Times     `json:"messages"`
	Bookings check.Times     `json:"bookings"`
	Deliver  check.Latencies `json:"deliver"`
}

func (t times) Write(w io.Writer) error {
	r := check.Result{Counts: t.Counts, Messages: t.Messages, Bookings: t.Bookings, Deliver: t.Deliver}
	return r.WriteTimes(w)
}
