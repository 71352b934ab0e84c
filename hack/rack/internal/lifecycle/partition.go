// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"context"
	"slices"

	"spine.nhs.uk/controlplane/hack/rack/internal/network"
	"spine.nhs.uk/controlplane/hack/rack/internal/proc"
)

// Partition adds a cut to those in force; one that is in force already changes nothing.
func (r *Rack) Partition(ctx context.Context, cut network.Cut) error {
	lock, err := proc.Acquire(ctx, r.lockFile(), nil)
	if err != nil {
		return err
	}
	defer lock.Release()
	cuts, err := network.Cuts(ctx, r.Def)
	if err != nil {
		return err
	}
	if slices.Contains(cuts, cut) {
		return nil
	}
	return network.Apply(ctx, r.Def, append(cuts, cut))
}

// Heal ends all cuts.
func (r *Rack) Heal(ctx context.Context) error {
	lock, err := proc.Acquire(ctx, r.lockFile(), nil)
	if err != nil {
		return err
	}
	defer lock.Release()
	return network.Heal(ctx, r.Def)
}
