// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"html/template"
	"net/http"
	"slices"
	"strings"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

const (
	searchTitle    = "Search services"
	shortlistTitle = "Shortlist"
)

// searchView is the page of the search and what it found.
type searchView struct {
	Search      search
	Specialties []code
	Priorities  []code
	Searched    bool
	Found       int
	// Cards are the services found, as items of a list.
	Cards  template.HTML
	Chosen int
	Notice string
}

func (v *visit) searchView(s search) *searchView {
	return &searchView{Search: s, Specialties: specialties, Priorities: priorities, Chosen: len(v.session.Shortlist)}
}

func (h *Handler) servicesPage(v *visit) error {
	if err := v.session.Who.May(domain.ActSearch); err != nil {
		return err
	}
	view := v.searchView(v.session.Search)
	if v.session.Search.Specialty == "" {
		return v.show(http.StatusOK, "services", searchTitle, view)
	}
	services, err := h.desk.Services(v.r.Context(), v.session.Who, v.session.Search.query())
	if err != nil {
		return err
	}
	view.Searched, view.Notice = true, v.takeNotice()
	listed := make([]found, len(services))
	for i, service := range services {
		listed[i] = found{service, slices.Contains(v.session.Shortlist, service.ID)}
	}
	view.Found = len(listed)
	if view.Cards, err = h.cards(listed); err != nil {
		return err
	}
	return v.show(http.StatusOK, "services", searchTitle, view)
}

// search keeps what was asked for in the session, so that no postcode stands in an address.
func (h *Handler) search(v *visit) error {
	form := v.r.PostForm
	asked := search{
		Specialty: form.Get("specialty"),
		Priority:  domain.Priority(form.Get("priority")),
		Postcode:  strings.ToUpper(strings.TrimSpace(form.Get("postcode"))),
		Named:     strings.TrimSpace(form.Get("named")),
	}
	var wrong []fieldError
	if _, known := find(specialties, asked.Specialty); !known {
		wrong = append(wrong, fieldError{"specialty", "Choose a specialty"})
	}
	if !asked.Priority.Valid() {
		wrong = append(wrong, fieldError{"priority", "Choose a priority"})
	}
	if !postcodeLike(asked.Postcode) {
		wrong = append(wrong, fieldError{"postcode", "Enter a postcode or its first part, for example LS1 4AP or LS1, or leave it empty"})
	}
	if len(asked.Named) > 60 {
		wrong = append(wrong, fieldError{"named", "Enter at most 60 characters of the name"})
	}
	if wrong != nil {
		asked.Postcode, asked.Named = asked.Postcode[:min(len(asked.Postcode), 60)], asked.Named[:min(len(asked.Named), 60)]
		return v.again("services", searchTitle, v.searchView(asked), wrong)
	}
	if asked.Specialty != v.session.Search.Specialty || asked.Priority != v.session.Search.Priority {
		// A referral has one specialty and priority, and services of another cannot stand on its shortlist.
		v.session.Shortlist = nil
	}
	v.session.Search = asked
	v.touch()
	return v.redirect("/services")
}

// postcodeLike accepts an outward code, a whole postcode, or nothing.
func postcodeLike(text string) bool {
	return len(text) <= 8 && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ") == "" &&
		(text == "" || (text[0] >= 'A' && text[0] <= 'Z'))
}

// shortlistView is the page of the shortlist.
type shortlistView struct {
	Services []domain.Service
	Search   search
	Key      string
}

func (h *Handler) shortlistPage(v *visit) error {
	view, err := v.shortlistView(newName())
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "shortlist", shortlistTitle, view)
}

func (v *visit) shortlistView(key string) (*shortlistView, error) {
	if err := v.session.Who.May(domain.ActCreate); err != nil {
		return nil, err
	}
	services, err := v.shortlisted(v.r.Context(), v.session.Shortlist)
	return &shortlistView{Services: services, Search: v.session.Search, Key: key}, err
}

// changeShortlist adds a service and goes back to the search, or removes one and goes back to the shortlist.
func (h *Handler) changeShortlist(v *visit) error {
	if err := v.session.Who.May(domain.ActCreate); err != nil {
		return err
	}
	if text := v.r.PostForm.Get("remove"); text != "" {
		id, err := number(text)
		if err != nil {
			return err
		}
		v.session.Shortlist = slices.DeleteFunc(v.session.Shortlist, func(other int64) bool { return other == id })
		v.touch()
		return v.redirect("/shortlist")
	}
	id, err := number(v.r.PostForm.Get("add"))
	if err != nil {
		return err
	}
	service, err := h.desk.Service(v.r.Context(), id)
	if err != nil {
		return err
	}
	switch {
	case slices.Contains(v.session.Shortlist, id):
	case len(v.session.Shortlist) >= domain.MaxShortlist:
		v.session.Notice = "A shortlist holds at most 20 services: remove one first"
	default:
		v.session.Shortlist = append(v.session.Shortlist, id)
		v.session.Notice = "Added to the shortlist: " + service.Name
	}
	v.touch()
	return v.redirect("/services")
}

// takeNotice is what the last request left to say; it is said once.
func (v *visit) takeNotice() string {
	notice := v.session.Notice
	if notice != "" {
		v.session.Notice = ""
		v.touch()
	}
	return notice
}
