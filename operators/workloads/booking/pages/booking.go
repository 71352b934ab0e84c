// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"errors"
	"net/http"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/flow"
)

// confirmView is the page that asks for a yes.
type confirmView struct {
	Referral *domain.Referral
	Service  domain.Service
	Slot     domain.Slot
	// Replaces is the appointment that the new one ends; nil when there is none.
	Replaces *domain.Appointment
	// From is the day to go back to.
	From string
	Key  string
}

func (h *Handler) confirmPage(v *visit) error {
	ctx := v.r.Context()
	id, err := number(v.r.URL.Query().Get("slot"))
	if err != nil {
		return err
	}
	slot, err := h.desk.Slot(ctx, v.session.Who, id)
	if err != nil {
		return err
	}
	from := slot.Start.In(v.settings.Zone).Format(time.DateOnly)
	if !slot.Free || !slot.Start.After(v.now) {
		return &slotGoneError{service: slot.ServiceID, from: from}
	}
	service, err := h.desk.Service(ctx, slot.ServiceID)
	if err != nil {
		return err
	}
	r, err := h.desk.Referral(ctx, v.session.Who, v.session.UBRN)
	if err != nil {
		return err
	}
	view := &confirmView{Referral: r, Service: service, Slot: slot, From: from, Key: newName()}
	title := "Confirm your appointment"
	if r.State == domain.Booked && live(r) {
		view.Replaces, title = r.Appointment, "Confirm the change"
	}
	return v.show(http.StatusOK, "book", title, view)
}

func (h *Handler) book(v *visit) error {
	form, err := v.formOf()
	if err != nil {
		return err
	}
	service, err := number(v.r.PostForm.Get("service"))
	if err != nil {
		return err
	}
	slot, err := number(v.r.PostForm.Get("slot"))
	if err != nil {
		return err
	}
	_, err = h.desk.Book(v.r.Context(), v.session.Who, flow.NewKey(form.key, "pages: book", form.ubrn, form.version, service, slot),
		flow.BookSlot{UBRN: form.ubrn, Version: form.version, Service: service, Slot: slot})
	if errors.Is(err, domain.ErrSlotGone) {
		return &slotGoneError{service: service}
	}
	if err != nil {
		return err
	}
	return v.redirect("/booked")
}

// bookedView is the page after booking, rebooking or deferring.
type bookedView struct {
	Referral *domain.Referral
	Booked   bool
}

func (h *Handler) bookedPage(v *visit) error {
	r, err := h.desk.Referral(v.r.Context(), v.session.Who, v.session.UBRN)
	if err != nil {
		return err
	}
	switch {
	case r.State == domain.Booked && live(r):
		return v.show(http.StatusOK, "booked", "Appointment booked", &bookedView{Referral: r, Booked: true})
	case live(r):
		return v.show(http.StatusOK, "booked", "The provider will contact you", &bookedView{Referral: r})
	}
	return v.redirect("/referral")
}

// deferView is the page that asks whether the provider shall arrange it.
type deferView struct {
	Referral *domain.Referral
	Service  domain.Service
	Key      string
}

func (h *Handler) deferPage(v *visit) error {
	id, err := number(v.r.URL.Query().Get("service"))
	if err != nil {
		return err
	}
	service, err := h.desk.Service(v.r.Context(), id)
	if err != nil {
		return err
	}
	r, err := h.desk.Referral(v.r.Context(), v.session.Who, v.session.UBRN)
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "defer", "Ask the provider to contact you", &deferView{Referral: r, Service: service, Key: newName()})
}

func (h *Handler) deferReferral(v *visit) error {
	form, err := v.formOf()
	if err != nil {
		return err
	}
	service, err := number(v.r.PostForm.Get("service"))
	if err != nil {
		return err
	}
	_, err = h.desk.Defer(v.r.Context(), v.session.Who, flow.NewKey(form.key, "pages: defer", form.ubrn, form.version, service),
		flow.Deferral{UBRN: form.ubrn, Version: form.version, Service: service, Reason: domain.SlotNotAvailable})
	if err != nil {
		return err
	}
	return v.redirect("/booked")
}
