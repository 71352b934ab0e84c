// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"html/template"
	"net/http"
	"strconv"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/flow"
)

const (
	daysShown  = 7   // one page of slots
	slotsShown = 100 // the most that flow gives at once
	daysAhead  = 366 // no provider offers later ones
)

// slotsView is the page of a week's free times at a service.
type slotsView struct {
	Service domain.Service
	UBRN    domain.UBRN
	Days    []slotDay
	// Week names the days shown. From is the first, Earlier and Later the first of the weeks beside it: YYYY-MM-DD, empty
	// when there is none.
	Week, From, Earlier, Later string
	// More is the next page of the same days; 0 when they are shown whole.
	More int
}

type slotDay struct {
	ID, Name string
	// Times is the items of the day's list.
	Times template.HTML
}

func (h *Handler) slotsPage(v *visit) error {
	query := v.r.URL.Query()
	id, err := number(query.Get("service"))
	if err != nil {
		return err
	}
	page := 1
	if text := query.Get("page"); text != "" {
		n, err := number(text)
		if err != nil || n > 1000 {
			return domain.ErrNotFound
		}
		page = int(n)
	}
	first, err := v.firstDay(query.Get("from"))
	if err != nil {
		return err
	}
	service, err := h.desk.Service(v.r.Context(), id)
	if err != nil {
		return err
	}
	end := first.AddDate(0, 0, daysShown)
	from := first
	if from.Before(v.now) {
		from = v.now
	}
	slots, err := h.desk.Slots(v.r.Context(), v.session.Who, flow.SlotQuery{Service: id, From: from, To: end, Page: page, Count: slotsShown})
	if err != nil {
		return err
	}
	view := &slotsView{
		Service: service,
		UBRN:    v.session.UBRN,
		Days:    byDay(slots.Slots, v.settings.Zone),
		Week:    first.Format("2 January") + " to " + end.AddDate(0, 0, -1).Format("2 January 2006"),
		From:    first.Format(time.DateOnly),
	}
	today := midnight(v.now, v.settings.Zone)
	if first.After(today) {
		earlier := first.AddDate(0, 0, -daysShown)
		if earlier.Before(today) {
			earlier = today
		}
		view.Earlier = earlier.Format(time.DateOnly)
	}
	if end.Before(today.AddDate(0, 0, daysAhead)) {
		view.Later = end.Format(time.DateOnly)
	}
	if page*slotsShown < slots.Total {
		view.More = page + 1
	}
	return v.show(http.StatusOK, "slots", "Choose a time", view)
}

// firstDay reads the first day to show: today when it is not given or past.
func (v *visit) firstDay(text string) (time.Time, error) {
	today := midnight(v.now, v.settings.Zone)
	if text == "" {
		return today, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, v.settings.Zone)
	if err != nil || day.After(today.AddDate(0, 0, daysAhead)) {
		return time.Time{}, domain.ErrNotFound
	}
	if day.Before(today) {
		return today, nil
	}
	return day, nil
}

func midnight(t time.Time, zone *time.Location) time.Time {
	year, month, day := t.In(zone).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, zone)
}

// byDay groups slots, which are in order of time, by the day that people in zone call it. The items are written here
// and not in the template, which takes ten times as long for a hundred of them; they hold nothing but numbers, times
// and names of days, so there is nothing to escape.
func byDay(slots []domain.Slot, zone *time.Location) []slotDay {
	var days []slotDay
	var items []byte
	for i, slot := range slots {
		local := slot.Start.In(zone)
		id := strconv.Itoa(local.YearDay())
		if len(days) == 0 || days[len(days)-1].ID != id {
			days = append(days, slotDay{ID: id, Name: local.Format("Monday 2 January")})
			items = items[:0]
		}
		day := &days[len(days)-1]
		items = append(items, `<li><a href="/book?slot=`...)
		items = strconv.AppendInt(items, slot.ID, 10)
		items = append(items, `">`...)
		items = append(items, clockText(local)...)
		items = append(items, `<span class="vh"> on `...)
		items = append(items, day.Name...)
		items = append(items, "</span></a></li>\n"...)
		if last := i+1 == len(slots); last || !sameDay(local, slots[i+1].Start.In(zone)) {
			day.Times = template.HTML(items)
		}
	}
	return days
}

func sameDay(a, b time.Time) bool { return a.YearDay() == b.YearDay() && a.Year() == b.Year() }
