// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"testing"
	"time"
)

var london = func() *time.Location {
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		panic(err)
	}
	return zone
}()

func TestWindowAt(t *testing.T) {
	for name, c := range map[string]struct {
		now           string
		hour          int
		length        time.Duration
		evening       string
		opens, closes string
	}{
		"before":               {"2026-01-15T12:00:00Z", 18, 6 * time.Hour, "2026-01-15", "2026-01-15T18:00:00Z", "2026-01-16T00:00:00Z"},
		"at the opening":       {"2026-01-15T18:00:00Z", 18, 6 * time.Hour, "2026-01-15", "2026-01-15T18:00:00Z", "2026-01-16T00:00:00Z"},
		"at the close":         {"2026-01-16T00:00:00Z", 18, 6 * time.Hour, "2026-01-16", "2026-01-16T18:00:00Z", "2026-01-17T00:00:00Z"},
		"past midnight":        {"2026-01-16T03:00:00Z", 18, 12 * time.Hour, "2026-01-15", "2026-01-15T18:00:00Z", "2026-01-16T06:00:00Z"},
		"in summer":            {"2026-07-15T16:59:59Z", 18, 6 * time.Hour, "2026-07-15", "2026-07-15T17:00:00Z", "2026-07-15T23:00:00Z"},
		"clocks go forward":    {"2026-03-28T23:00:00Z", 18, 12 * time.Hour, "2026-03-28", "2026-03-28T18:00:00Z", "2026-03-29T06:00:00Z"},
		"clocks go back":       {"2026-10-25T02:00:00Z", 18, 12 * time.Hour, "2026-10-24", "2026-10-24T17:00:00Z", "2026-10-25T05:00:00Z"},
		"opens in a lost hour": {"2026-03-29T00:30:00Z", 1, time.Hour, "2026-03-29", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		w := WindowAt(now, Settings{Hour: c.hour, Zone: london, Window: c.length})
		opens, closes := w.Opens.UTC().Format(time.RFC3339), w.Closes.UTC().Format(time.RFC3339)
		if w.Evening != c.evening || opens != c.opens || closes != c.closes {
			t.Errorf("%s: %s from %s to %s, want %s from %s to %s", name, w.Evening, opens, closes, c.evening, c.opens, c.closes)
		}
	}
}
