// SPDX-License-Identifier: Apache-2.0

//go:build engines

package core

import (
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/ledger"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

func TestWhatIsUnsettledInARestoredLedgerIsDispatched(t *testing.T) {
	s := newSite(t)
	l := s.open()
	first := s.run(s.on(l))
	before := send(t, first.Gateway, "INT1", numbered("before", 5)...)
	eventually(t, "the mark says that all references are with the broker", func() bool {
		replicas, err := l.Replicas(t.Context())
		return err == nil && len(replicas) == 1 && replicas[0].Published.String() > before[4]
	})
	first.kill()
	l.Close()
	name, _, _ := strings.Cut(path.Base(s.database), "?")
	restored := servers(t).copyOf(t, name)
	point := time.Now()

	// The references of these are used up, and of what another replica accepted there never were any.
	second := s.start()
	settled := send(t, second.Gateway, "INT1", numbered("settled", 7)...)
	if got := collect(t, second.Gateway, "INT1", 12); !slices.Equal(got, append(slices.Clone(before), settled...)) {
		t.Fatal("other messages came than were sent")
	}
	second.kill()
	lost := send(t, s.idle(), "INT1", numbered("lost", 3)...)
	c, err := ledger.CarryOver(t.Context(), database.URL(s.database), database.URL(restored), point)
	if err != nil || c.Messages != 10 {
		t.Fatalf("%+v, %v", c, err)
	}

	s.database = restored
	third := s.start()
	began := time.Now()
	if got, want := collect(t, third.Gateway, "INT1", 8), append(slices.Clone(before), lost...); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	// Later they would be found in any case, if nothing else was in their queue.
	if took := time.Since(began); took > strayAfter/2 {
		t.Errorf("they came after %s", took)
	}
	if found, err := third.Receive(t.Context(), "INT1", 10, time.Second); len(found) != 0 || err != nil {
		t.Errorf("then came %d more, %v", len(found), err)
	}
	if r := third.SubmitBatch(t.Context(), []*message.Submission{aMessage("INT1", "PSIS", "settled0000")})[0]; !r.Duplicate || r.ID != settled[0] {
		t.Errorf("a repeat of what was carried over: %+v", r)
	}
}
