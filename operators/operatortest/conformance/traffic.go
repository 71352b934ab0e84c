// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/ports"
)

// Director is a traffic director of the sites a and b, and what its names are like.
type Director struct {
	// Another is a director of the same names.
	Another func() ports.TrafficDirector
	// Before is where clients are sent at first, and Stay how long they may go elsewhere after
	// they were sent by the director.
	Before ports.Direction
	Stay   time.Duration
	// ByHand leads one of the names to site b, past the director; clients may go elsewhere for
	// TornStay then.
	ByHand   func(t *testing.T)
	TornStay time.Duration
}

// Traffic takes a director through what ports.TrafficDirector says.
func Traffic(t *testing.T, d Director) {
	t.Helper()
	ctx, director := t.Context(), d.Another()
	look := func(want ports.Direction) {
		t.Helper()
		if got, err := director.Read(ctx); err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	look(d.Before)
	for _, step := range []struct {
		site  string
		epoch int64
	}{{"a", 1}, {"a", 1}, {"b", 2}, {"b", 2}, {"a", 5}} {
		if err := director.Send(ctx, step.site, step.epoch); err != nil {
			t.Fatal(err)
		}
		look(ports.Direction{Site: step.site, Stay: d.Stay})
	}
	var refused *ports.TrafficError
	if err := director.Send(ctx, "b", 4); !errors.As(err, &refused) || !strings.Contains(err.Error(), "epoch 4 is over") {
		t.Errorf("an old epoch: %v", err)
	}
	if err := director.Send(ctx, "c", 9); !errors.As(err, &refused) || !strings.Contains(err.Error(), `site "c" is none of [a b]`) {
		t.Errorf("an unknown site: %v", err)
	}
	look(ports.Direction{Site: "a", Stay: d.Stay})
	d.ByHand(t)
	look(ports.Direction{Stay: d.TornStay})
	if err := director.Send(ctx, "b", 6); err != nil {
		t.Errorf("names that were torn apart are not put together again: %v", err)
	}
	look(ports.Direction{Site: "b", Stay: d.Stay})
	d.race(t)
}

// race sends clients by many epochs at once: in the end they are where the highest one sent them
// of those that were told so, and no lower one sends them away again.
func (d Director) race(t *testing.T) {
	t.Helper()
	const first, last = 100, 115
	site := func(epoch int64) string { return fmt.Sprintf("%c", 'a'+rune(epoch%2)) }
	var mu sync.Mutex
	var highest int64
	var group sync.WaitGroup
	for epoch := int64(first); epoch <= last; epoch++ {
		director := d.Another()
		group.Go(func() {
			var refused *ports.TrafficError
			switch err := director.Send(t.Context(), site(epoch), epoch); {
			case err == nil:
				mu.Lock()
				highest = max(highest, epoch)
				mu.Unlock()
			case !errors.As(err, &refused):
				t.Error(err)
			}
		})
	}
	group.Wait()
	if highest == 0 {
		t.Fatal("of many that sent clients at once nobody did")
	}
	if got, err := d.Another().Read(t.Context()); err != nil || got.Site != site(highest) {
		t.Errorf("epoch %d sent clients to %s, and they are sent to %+v, %v", highest, site(highest), got, err)
	}
	if err := d.Another().Send(t.Context(), site(highest-1), highest-1); err == nil {
		t.Errorf("after epoch %d, the one before it sent clients elsewhere", highest)
	}
}

// Lost holds that a director that does not reach whoever answers clients says so.
func Lost(t *testing.T, d ports.TrafficDirector) {
	t.Helper()
	var lost *ports.TrafficError
	if got, err := d.Read(t.Context()); !errors.As(err, &lost) {
		t.Errorf("clients are sent to %+v, %v", got, err)
	}
	if err := d.Send(t.Context(), "a", 1000); !errors.As(err, &lost) {
		t.Errorf("clients were sent: %v", err)
	}
}
