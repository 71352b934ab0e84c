// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"testing"
	"time"
)

func TestActivityNow(t *testing.T) {
	hours := WorkingHours{Wake: "07:00", Sleep: "19:00"}
	for name, c := range map[string]struct {
		activity  Activity
		zone, now string
		want      Activity
		until     string
	}{
		"awake at night":                 {ActivityAwake, "Europe/London", "2026-11-23T03:00:00Z", ActivityAwake, ""},
		"asleep at noon":                 {ActivityAsleep, "Europe/London", "2026-11-23T12:00:00Z", ActivityAsleep, ""},
		"nothing said":                   {"", "Europe/London", "2026-11-23T03:00:00Z", "", ""},
		"Monday morning":                 {ActivityWorkingHours, "Europe/London", "2026-11-23T06:59:59Z", ActivityAsleep, "2026-11-23T07:00:00Z"},
		"at seven":                       {ActivityWorkingHours, "Europe/London", "2026-11-23T07:00:00Z", ActivityAwake, "2026-11-23T19:00:00Z"},
		"at seven in the evening":        {ActivityWorkingHours, "Europe/London", "2026-11-23T19:00:00Z", ActivityAsleep, "2026-11-24T07:00:00Z"},
		"Friday evening":                 {ActivityWorkingHours, "Europe/London", "2026-11-27T19:00:00Z", ActivityAsleep, "2026-11-30T07:00:00Z"},
		"Saturday noon":                  {ActivityWorkingHours, "Europe/London", "2026-11-28T12:00:00Z", ActivityAsleep, "2026-11-30T07:00:00Z"},
		"in summer":                      {ActivityWorkingHours, "Europe/London", "2026-07-06T06:30:00Z", ActivityAwake, "2026-07-06T18:00:00Z"},
		"over the change to summer time": {ActivityWorkingHours, "Europe/London", "2026-03-27T20:00:00Z", ActivityAsleep, "2026-03-30T06:00:00Z"},
		"elsewhere it is Sunday evening": {ActivityWorkingHours, "America/New_York", "2026-11-23T03:00:00Z", ActivityAsleep, "2026-11-23T12:00:00Z"},
		"a zone that nobody knows":       {ActivityWorkingHours, "Europe/Camelot", "2026-11-28T12:00:00Z", ActivityAwake, ""},
	} {
		t.Run(name, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339, c.now)
			if err != nil {
				t.Fatal(err)
			}
			got, until := c.activity.Now(hours, c.zone, now)
			said := ""
			if !until.IsZero() {
				said = until.UTC().Format(time.RFC3339)
			}
			if got != c.want || said != c.until {
				t.Errorf("%s until %q, want %s until %q", got, said, c.want, c.until)
			}
		})
	}
}
