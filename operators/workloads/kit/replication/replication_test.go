// SPDX-License-Identifier: Apache-2.0

package replication

import (
	"testing"
	"time"
)

// The ceiling is never below the truth, and says nothing where nothing is known.
func TestJudge(t *testing.T) {
	start := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	w := &Watch{}
	const unknown = -1
	for _, step := range []struct {
		after              time.Duration
		here, there        int64
		streaming          bool
		wantBytes, seconds int64
	}{
		{0, 100, 0, false, unknown, unknown},                        // never seen
		{1 * time.Second, 200, 150, true, 50, 1},                    // seen: 100 was reached at 0 s, and is there
		{2 * time.Second, 300, 300, true, 0, 0},                     // all of it
		{4 * time.Second, 400, 300, true, 100, 2},                   // 300 was there 2 s ago
		{4500 * time.Millisecond, 450, 300, false, 150, 3},          // the link is cut: 2.5 s, rounded up
		{64 * time.Second, 900, 300, false, 600, 62},                // for a minute
		{65 * time.Second, 1000, 800, true, 200, 61},                // it catches up: 450 has been there for sure
		{66 * time.Second, 1000, 1000, true, 0, 0},                  // and has
		{66*time.Second + time.Millisecond, 1001, 1000, true, 1, 1}, // a moment's lag is a second at most
	} {
		w.there = max(w.there, step.there)
		s := w.judge(start.Add(step.after), step.here, step.streaming)
		bytes, seconds := int64(unknown), int64(unknown)
		if s.BehindBytes != nil {
			bytes = *s.BehindBytes
		}
		if s.BehindSeconds != nil {
			seconds = *s.BehindSeconds
		}
		if bytes != step.wantBytes || seconds != step.seconds || s.Streaming != step.streaming {
			t.Errorf("after %s: %d bytes, %d s, streaming %t; want %d, %d, %t", step.after, bytes, seconds, s.Streaming, step.wantBytes, step.seconds, step.streaming)
		}
	}
}

// However long the other site is away, memory is bounded and the ceiling still holds.
func TestMarksAreBounded(t *testing.T) {
	start := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	w := &Watch{there: 1}
	var last *Status
	for i := range int64(3 * maxMarks) {
		last = w.judge(start.Add(time.Duration(i)*time.Second), i+1, false)
	}
	if len(w.marks) > maxMarks || last.BehindSeconds == nil || *last.BehindSeconds != 3*maxMarks-1 {
		t.Errorf("%d marks, behind by %v s", len(w.marks), last.BehindSeconds)
	}
}
