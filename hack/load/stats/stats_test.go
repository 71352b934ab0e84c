// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/hack/load/arrival"
	"spine.nhs.uk/controlplane/hack/load/record"
)

func TestMeter(t *testing.T) {
	m := NewMeter("bulk", 100)
	base := time.Now().UnixNano()
	event := func(kind record.Kind, startMS, atMS int64) record.Event {
		return record.Event{Kind: kind, Start: base + startMS*1e6, At: base + atMS*1e6}
	}
	m.Count([]record.Event{event(record.Acknowledged, 0, 10), event(record.Duplicate, 5, 1010), event(record.Refused, 0, 20), event(record.Ambiguous, 0, 30)})
	if line := m.Tick(); !strings.Contains(line, "in all 2 acknowledged, 0 retried") {
		t.Errorf("tick: %s", line)
	}
	m.Refusal("HTTP 404")
	m.Refusal("HTTP 400")
	m.Trouble(3, 4, "HTTP 503")
	m.Unsent(arrival.New(arrival.Even, 100, time.Now().Add(-time.Minute), time.Second, 1))
	// What is not due yet is not missed.
	m.Unsent(arrival.New(arrival.Even, 100, time.Now().Add(time.Minute), time.Second, 1))
	r := m.Report()
	if r.Acknowledged != 2 || r.Refused != 1 || r.Ambiguous != 1 || r.Retried != 3 || r.PushedBack != 4 || r.Unsent != 100 {
		t.Errorf("report %+v", r)
	}
	if r.Refusal != "HTTP 404" {
		t.Errorf("the first refusal is said to be %q", r.Refusal)
	}
	if r.LongestGap.Long < 999*time.Millisecond || r.LongestGap.Long > 1001*time.Millisecond || r.PerSecond < 1.9 || r.PerSecond > 2.1 || r.Latency.Max < 1004 {
		t.Errorf("times %+v", r)
	}
	var text bytes.Buffer
	if err := r.Write(&text); err != nil || !strings.Contains(text.String(), "latest: HTTP 503") || !strings.Contains(text.String(), "longest gap 1.0") {
		t.Errorf("%v: %s", err, text.String())
	}
}
