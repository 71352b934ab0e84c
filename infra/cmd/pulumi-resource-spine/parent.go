// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
	"time"
)

// exitWithParent ends the process within half a second of its parent's death.
// The engine's own health check notices a killed engine after minutes only, and
// until then the next run would find our locks on the hosts taken. Steps that
// run on hosts as units go on; the next run attaches to them.
func exitWithParent(ctx context.Context, parent int) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if os.Getppid() != parent {
				os.Exit(1)
			}
		}
	}
}
