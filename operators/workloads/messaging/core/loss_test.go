// SPDX-License-Identifier: Apache-2.0

//go:build engines

package core

import (
	"errors"
	"slices"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

func TestMessagesComeOnceWhenSettled(t *testing.T) {
	s := newSite(t)
	a, b := s.start(), s.start()
	ids := send(t, a.Gateway, "INT1", numbered("r", 300)...)
	if got := collect(t, b.Gateway, "INT1", 300); !slices.Equal(got, ids) {
		t.Error("other messages came than were sent")
	}
	if n := unsettled(t, a.Gateway); n != 0 {
		t.Errorf("%d unsettled", n)
	}
	if found, err := a.Receive(t.Context(), "INT1", 10, time.Second); len(found) != 0 || err != nil {
		t.Errorf("after all is settled: %d messages, %v", len(found), err)
	}
	// A repeat of what is settled is not delivered again.
	if r := a.SubmitBatch(t.Context(), []*message.Submission{aMessage("INT1", "PSIS", "r0000")})[0]; !r.Duplicate || r.ID != ids[0] || r.Err != nil {
		t.Errorf("repeat: %+v", r)
	}
	if d := a.Deep(t.Context()); !d.OK || len(d.Stages) != 4 {
		t.Errorf("deep probe: %+v", d)
	}
}

func TestWipedBrokerIsFilledFromTheLedger(t *testing.T) {
	s := newSite(t)
	g := s.start()
	before := send(t, g.Gateway, "INT1", numbered("before", 1200)...)
	eventually(t, "all references are with the broker", func() bool { return g.publisher.Pending() == 0 })
	s.broker.Stop()
	// Acknowledgements do not wait for the broker.
	during := send(t, g.Gateway, "INT1", numbered("during", 300)...)
	eventually(t, "the status says what waits, and that the broker is away", func() bool {
		status, err := g.Status(t.Context())
		return err == nil && !status.Broker.Connected && status.Unsettled == 1500
	})
	if err := s.broker.Wipe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.broker.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := append(before, during...)
	slices.Sort(want)
	if got := collect(t, g.Gateway, "INT1", 1500); !slices.Equal(got, want) {
		t.Error("other messages came than were sent")
	}
}

func TestWhatADeadReplicaDidNotDispatchIsTakenUp(t *testing.T) {
	s := newSite(t)
	dead := s.idle()
	ids := send(t, dead, "INT1", numbered("r", 20)...)
	alive := s.start()
	// The queue exists and is not empty, so nothing but the dead replica's mark tells what is missing.
	send(t, alive.Gateway, "INT1", "x")
	eventually(t, "dispatched", func() bool { return alive.publisher.Pending() == 0 && alive.publisher.Published() > 0 })
	s.step(deadAfter + time.Second)
	if got := collect(t, alive.Gateway, "INT1", 21); !slices.Equal(got[:20], ids) {
		t.Error("other messages came than were sent")
	}
	eventually(t, "the dead replica is forgotten", func() bool {
		replicas, err := alive.ledger.Replicas(t.Context())
		return err == nil && len(replicas) == 1
	})
}

func TestUnsettledComesAgainAfterTheReplicaDied(t *testing.T) {
	s := newSite(t)
	a := s.start()
	ids := send(t, a.Gateway, "INT1", "r1", "r2")
	found, err := a.Receive(t.Context(), "INT1", 10, soon)
	if err != nil || len(found) == 0 {
		t.Fatalf("%d, %v", len(found), err)
	}
	a.kill()
	b := s.start()
	if got := collect(t, b.Gateway, "INT1", 2); !slices.Equal(got, ids) {
		t.Errorf("got %v, want the same IDs %v", got, ids)
	}
	if _, err := a.Receive(t.Context(), "INT1", 1, time.Second); !errors.Is(err, message.ErrDraining) {
		t.Errorf("a stopped replica: %v", err)
	}
}

func TestExpiredLeaseComesAgainUnderTheSameID(t *testing.T) {
	s := newSite(t)
	g := s.start()
	ids := send(t, g.Gateway, "INT1", "r1")
	first, err := g.Receive(t.Context(), "INT1", 1, soon)
	if err != nil || len(first) != 1 {
		t.Fatalf("%d, %v", len(first), err)
	}
	s.step(2 * time.Minute)
	again, err := g.Receive(t.Context(), "INT1", 1, soon)
	if err != nil || len(again) != 1 || again[0].ID != ids[0] || again[0].Attempt != 2 {
		t.Fatalf("%+v, %v", again, err)
	}
	// The first lease still settles: its receiver has processed the message.
	if errs := g.Settle(t.Context(), "INT1", []string{first[0].Lease, again[0].Lease, "nonsense"}); errs[0] != nil || errs[1] != nil || !errors.Is(errs[2], message.ErrNotFound) {
		t.Errorf("%v", errs)
	}
	if errs := g.Settle(t.Context(), "INT2", []string{first[0].Lease}); !errors.Is(errs[0], message.ErrNotFound) {
		t.Errorf("somebody else's: %v", errs)
	}
}
