// SPDX-License-Identifier: Apache-2.0

package failover

import "testing"

// telling seeds have noticed a flaw before: they save the time to look for others.
var telling = []uint64{4, 7, 11, 26, 81, 507, 547, 2507}

// Each flaw is noticed: invariants that nothing can break guard nothing.
func TestPlantedFlaws(t *testing.T) {
	for name, f := range map[string]flaws{
		"takes over without waiting for a stop":            {noFence: true},
		"the witness swaps whatever is on record":          {blindSwap: true},
		"what was promised is forgotten":                   {noPromise: true},
		"clocks are believed to be too equal":              {noSkew: true},
		"programs do not heed the end of their permit":     {deafPermit: true},
		"goes on alone before that is on record":           {early: true},
		"alone with permits without an end":                {unbounded: true},
		"the loss is not looked at":                        {noLoss: true},
		"comes back after a handover without another vote": {hasty: true},
		"says that it has stopped before it has":           {boast: true},
		"takes the vote without a record of its intention": {noTaking: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i := range len(telling) + 4000 {
				seed := uint64(i - len(telling))
				if i < len(telling) {
					seed = telling[i]
				}
				if w := play(seed, f); len(w.wrong) > 0 {
					t.Logf("seed %d: %s", seed, w.wrong[0])
					return
				}
			}
			t.Error("not noticed in 4,000 seeds")
		})
	}
}
