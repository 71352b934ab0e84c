// SPDX-License-Identifier: Apache-2.0

package ports

import (
	"context"
	"time"
)

// Permit says to a program whether it may acknowledge work.
type Permit struct {
	// Epoch of the site's vote.
	Epoch int64
	// Until when it may; the zero time: not at all, unless Endless.
	Until time.Time
	// Endless: until another permit says otherwise.
	Endless bool
}

// Permits gives permits to programs. Errors are those of Prober.
type Permits interface {
	// Permit tells one program. It returns once the program heeds it.
	Permit(ctx context.Context, target Target, permit Permit) error
}
