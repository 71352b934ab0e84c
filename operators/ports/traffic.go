// SPDX-License-Identifier: Apache-2.0

package ports

import (
	"context"
	"time"
)

// Direction is where clients are sent to now.
type Direction struct {
	// Site that every name leads to; empty when they do not all lead to the same one.
	Site string
	// Stay is how long clients may still go where they were sent before, by their caches.
	Stay time.Duration
}

// TrafficDirector sends clients to a site. Which names it leads where is its own
// configuration. Its methods return a *TrafficError.
type TrafficDirector interface {
	// Read returns where clients are sent now, as whoever answers them says it.
	Read(ctx context.Context) (Direction, error)
	// Send sends them to a site. Doing it again does no harm. An epoch lower than one that was
	// given before is refused, as far as the director keeps it.
	Send(ctx context.Context, site string, epoch int64) error
}

// TrafficError: clients could not be sent elsewhere, or it is not known where they are sent.
type TrafficError struct {
	// Err is the cause.
	Err error
}

func (e *TrafficError) Error() string { return "the traffic director: " + e.Err.Error() }
func (e *TrafficError) Unwrap() error { return e.Err }
