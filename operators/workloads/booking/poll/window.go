// SPDX-License-Identifier: Apache-2.0

package poll

import "time"

// Window is one evening's time.
type Window struct {
	// Evening is the date on which it opens, YYYY-MM-DD.
	Evening string
	// Opens is inside, Closes is outside.
	Opens, Closes time.Time
}

// WindowAt is the window that now lies in, or else the next one. It opens at the wall clock's time of every day, also
// when the clocks change, and lasts equally long.
func WindowAt(now time.Time, s Settings) Window {
	local := now.In(s.Zone)
	for day := -1; ; day++ { // yesterday's may last past midnight
		opens := time.Date(local.Year(), local.Month(), local.Day()+day, s.Hour, s.Minute, 0, 0, s.Zone)
		if closes := opens.Add(s.Window); now.Before(closes) {
			return Window{Evening: opens.Format(time.DateOnly), Opens: opens, Closes: closes}
		}
	}
}
