// SPDX-License-Identifier: Apache-2.0

package restore

import (
	"testing"
	"time"
)

func TestWhatTheProgramChangedIsToldFromWhatWasDoneByHand(t *testing.T) {
	floor := time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)
	early, late, later := floor.Add(-time.Hour), floor.Add(time.Hour), floor.Add(2*time.Hour)
	is := func(version int32, touched time.Time, print int64) *found {
		return &found{ubrn: 1, version: version, touched: touched, print: print}
	}
	with := func(f *found, id int64, stamp time.Time, print int64) *found {
		g := *f
		g.ids, g.stamps, g.prints = append([]int64{}, append(f.ids, id)...), append([]time.Time{}, append(f.stamps, stamp)...), append([]int64{}, append(f.prints, print)...)
		return &g
	}
	issue, other := "1", "2"
	opened := func(f *found, issues, audit *string) *found {
		g := *f
		g.issues, g.audit = issues, audit
		return &g
	}
	old := is(2, early, 7)
	for name, c := range map[string]struct {
		f, t *found
		want Comparison
	}{
		"alike":                                {old, is(2, early, 7), Comparison{Both: 1}},
		"alike, changed since":                 {is(2, late, 7), is(2, late, 7), Comparison{Both: 1}},
		"lost":                                 {old, nil, Comparison{OnlyFrom: 1}},
		"made since":                           {is(1, late, 7), nil, Comparison{After: 1}},
		"made at the floor":                    {is(1, floor, 7), nil, Comparison{After: 1}},
		"destroyed":                            {nil, old, Comparison{OnlyTo: 1}},
		"changed since":                        {is(3, late, 8), old, Comparison{After: 1}},
		"damaged":                              {is(2, early, 8), old, Comparison{Differing: 1}},
		"damaged, with the time of that":       {is(2, late, 8), old, Comparison{Differing: 1}},
		"another version, by hand":             {is(3, early, 8), old, Comparison{Differing: 1}},
		"an earlier version":                   {is(1, late, 8), old, Comparison{Differing: 1}},
		"an attempt since":                     {with(is(2, late, 7), 9, late, 1), old, Comparison{After: 1}},
		"an attempt failed since":              {with(is(2, late, 7), 9, late, 2), with(old, 9, early, 1), Comparison{After: 1}},
		"an attempt of the copy failed":        {with(is(2, late, 7), 9, late, 2), with(is(2, later, 7), 9, later, 1), Comparison{Differing: 1}},
		"an appointment of before was added":   {with(is(2, late, 7), 9, early, 1), is(2, late, 7), Comparison{Differing: 1}},
		"an earlier version, and an attempt":   {with(is(1, late, 8), 9, late, 1), old, Comparison{Differing: 1}},
		"an appointment was destroyed":         {old, with(old, 9, early, 1), Comparison{Differing: 1}},
		"an appointment was damaged":           {with(old, 9, early, 2), with(old, 9, early, 1), Comparison{Differing: 1}},
		"an appointment was added by hand":     {with(old, 9, early, 2), old, Comparison{Differing: 1}},
		"an appointment has another's number":  {with(old, 8, early, 1), with(old, 9, early, 1), Comparison{Differing: 1}},
		"the slot issue was destroyed":         {old, opened(old, &issue, nil), Comparison{Differing: 1}},
		"the slot issue was damaged":           {opened(old, &other, nil), opened(old, &issue, nil), Comparison{Differing: 1}},
		"the same slot issue":                  {opened(old, &issue, &other), opened(old, &issue, &other), Comparison{Both: 1}},
		"the audit was destroyed":              {old, opened(old, nil, &issue), Comparison{Differing: 1}},
		"changed since, with the issue closed": {opened(is(3, late, 8), &other, &other), opened(old, &issue, &issue), Comparison{After: 1}},
	} {
		var got Comparison
		got.count(c.f, c.t, floor)
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestSlotsAreAsWhoeverMayChangeThemSaid(t *testing.T) {
	nine := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	is := func(state string, starts time.Time) *slot {
		return &slot{id: 1, service: 2, reference: "r", starts: starts, ends: starts.Add(time.Hour), state: state}
	}
	ten := nine.Add(time.Hour)
	nobody, provided, polled := told{}, told{provided: true}, told{provided: true, polled: true}
	for name, c := range map[string]struct {
		f, t, want *slot
		by         told
	}{
		"added":                            {is("TAKEN", nine), nil, is("TAKEN", nine), nobody},
		"deleted":                          {nil, is("FREE", nine), nil, polled},
		"the same":                         {is("FREE", nine), is("FREE", nine), nil, polled},
		"taken since":                      {is("TAKEN", nine), is("FREE", nine), nil, polled},
		"moved by hand":                    {is("FREE", ten), is("FREE", nine), nil, nobody},
		"moved, and not polled":            {is("FREE", ten), is("FREE", nine), nil, provided},
		"moved by a poll":                  {is("TAKEN", ten), is("FREE", nine), is("FREE", ten), polled},
		"withdrawn by hand":                {is("WITHDRAWN", nine), is("FREE", nine), nil, nobody},
		"withdrawn":                        {is("WITHDRAWN", nine), is("FREE", nine), is("WITHDRAWN", nine), provided},
		"offered again by hand":            {is("FREE", nine), is("WITHDRAWN", nine), nil, provided},
		"offered again by a poll":          {is("FREE", nine), is("WITHDRAWN", nine), is("FREE", nine), polled},
		"offered again by a poll, booked":  {is("TAKEN", nine), is("WITHDRAWN", nine), is("FREE", nine), polled},
		"withdrawn in both":                {is("WITHDRAWN", nine), is("WITHDRAWN", nine), nil, polled},
		"withdrawn and moved, both polled": {is("WITHDRAWN", ten), is("WITHDRAWN", nine), is("WITHDRAWN", ten), polled},
	} {
		got := wanted(c.f, c.t, c.by)
		if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
