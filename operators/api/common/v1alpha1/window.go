// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Window is a span of time on some days of the week.
//
// +kubebuilder:object:generate=false
type Window struct {
	// days on which it begins, 1 to 7: Monday to Sunday.
	Days []string `json:"days"`
	// from and to are times of day, 15:04. A window whose end is not after its beginning ends
	// on the next day.
	From string `json:"from"`
	To   string `json:"to"`
	// timeZone by its IANA name. Default Europe/London.
	TimeZone string `json:"timeZone,omitempty"`
}

var weekdays = []string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}

// Validate returns every problem.
func (w Window) Validate(p *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(w.Days) == 0 {
		errs = append(errs, field.Required(p.Child("days"), "the days on which the window begins, as in [Tuesday, Thursday]"))
	}
	for i, d := range w.Days {
		switch {
		case !slices.Contains(weekdays, d):
			errs = append(errs, field.NotSupported(p.Child("days").Index(i), d, weekdays))
		case slices.Index(w.Days, d) < i:
			errs = append(errs, field.Duplicate(p.Child("days").Index(i), d))
		}
	}
	for _, f := range []struct{ name, value string }{{"from", w.From}, {"to", w.To}} {
		if _, err := time.Parse("15:04", f.value); err != nil {
			errs = append(errs, field.Invalid(p.Child(f.name), f.value, "must be a time of day such as 22:00"))
		}
	}
	if _, err := time.LoadLocation(w.TimeZone); err != nil || w.TimeZone == "Local" {
		errs = append(errs, field.Invalid(p.Child("timeZone"), w.TimeZone, "must be an IANA time zone such as Europe/London"))
	}
	return errs
}

// Open says whether now is within the window, and until when that is so: the zero time when it
// does not change within eight days. The window must be valid.
func (w Window) Open(now time.Time) (bool, time.Time) {
	zone, err := time.LoadLocation(w.TimeZone)
	if err != nil {
		return false, time.Time{}
	}
	from, errFrom := time.Parse("15:04", w.From)
	to, errTo := time.Parse("15:04", w.To)
	if errFrom != nil || errTo != nil {
		return false, time.Time{}
	}
	local := now.In(zone)
	// From yesterday, whose window may last until today, to the same day of next week.
	for offset := -1; offset <= 7; offset++ {
		y, m, d := local.Date()
		begin := time.Date(y, m, d+offset, from.Hour(), from.Minute(), 0, 0, zone)
		if !slices.Contains(w.Days, begin.Weekday().String()) {
			continue
		}
		end := time.Date(y, m, d+offset, to.Hour(), to.Minute(), 0, 0, zone)
		if !end.After(begin) {
			end = time.Date(y, m, d+offset+1, to.Hour(), to.Minute(), 0, 0, zone)
		}
		switch {
		case now.Before(begin):
			return false, begin
		case now.Before(end):
			return true, end
		}
	}
	return false, time.Time{}
}
