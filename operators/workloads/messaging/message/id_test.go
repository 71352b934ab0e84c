// SPDX-License-Identifier: Apache-2.0

package message

import (
	"errors"
	"testing"
	"time"
)

func TestSeqKeepsTimeAndReplica(t *testing.T) {
	at := time.Date(2026, 11, 21, 6, 15, 0, 123456000, time.UTC)
	clock := NewClock(42)
	seq := clock.Next(at)
	if got, want := seq.String(), "20261121061500123456_00002A"; got != want {
		t.Fatalf("ID %s, want %s", got, want)
	}
	if !seq.At().Equal(at) || seq.Node() != 42 {
		t.Errorf("read back %s of replica %d", seq.At(), seq.Node())
	}
	back, err := ParseID(seq.String())
	if err != nil || back != seq {
		t.Errorf("ParseID: %v, %v", back, err)
	}
}

func TestClockRisesWhenTheWallClockStepsBack(t *testing.T) {
	at := time.Date(2026, 11, 21, 6, 15, 0, 0, time.UTC)
	clock := NewClock(1)
	first := clock.Next(at)
	if second := clock.Next(at.Add(-time.Hour)); second <= first {
		t.Errorf("%v after %v", second, first)
	}
}

func TestParseIDRefuses(t *testing.T) {
	for _, id := range []string{
		"", "x", "20261121061500123456-00002A", "20261321061500123456_00002A", "20261121061500123456_00002a",
		"20261121061500123456_FFFFFF", "19991121061500123456_00002A", "2026112106150012345x_00002A",
	} {
		if _, err := ParseID(id); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("20261121061500123456_00002A")
	f.Add("")
	f.Fuzz(func(t *testing.T, id string) {
		if seq, err := ParseID(id); err == nil && seq.String() != id {
			t.Errorf("%q reads as %v", id, seq)
		}
	})
}
