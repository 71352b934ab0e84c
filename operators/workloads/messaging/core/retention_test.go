// SPDX-License-Identifier: Apache-2.0

//go:build engines

package core

import (
	"errors"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

func TestUncollectedIsReportedAfter5DaysAndDeletedAfter30(t *testing.T) {
	s := newSite(t)
	g := s.idle()
	m := aMessage("EXT1", "PSIS", "r1")
	m.Sender, m.LocalID, m.Subject = "EXT2", "mine", "about"
	sent, err := g.Submit(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	tidy := func(after time.Duration) {
		t.Helper()
		s.step(after)
		if err := g.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	count := func(mailbox string, want int64) {
		t.Helper()
		if n, err := g.Count(t.Context(), mailbox); n != want || err != nil {
			t.Errorf("%s: %d wait, want %d; %v", mailbox, n, want, err)
		}
	}
	tidy(5*24*time.Hour - time.Minute)
	count("EXT2", 0)
	tidy(2 * time.Minute)
	tidy(time.Minute)
	count("EXT2", 1)
	count("EXT1", 1)
	page, err := g.Inbox(t.Context(), "EXT2", message.InboxQuery{})
	if err != nil || len(page.Headers) != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	r := page.Headers[0]
	if r.Kind != message.KindReport || r.Report == nil || r.Report.LinkedID != sent.ID || r.Report.Code != "14" || r.Report.To != "EXT1" ||
		r.LocalID != "mine" || r.Subject != "about" || r.Report.Description != "Message not collected by recipient after 5 days" {
		t.Errorf("report: %+v %+v", r, r.Report)
	}
	if track, err := g.Track(t.Context(), "EXT2", message.TrackQuery{LocalID: "mine"}); err != nil || track.State != message.StateUndelivered {
		t.Errorf("track: %v, %v", track.State, err)
	}
	// The report itself is not collected either; nobody is told of that.
	tidy(6 * 24 * time.Hour)
	count("EXT2", 1)
	tidy(18 * 24 * time.Hour)
	count("EXT1", 1)
	tidy(2 * 24 * time.Hour)
	count("EXT1", 0)
	if _, err := g.Retrieve(t.Context(), "EXT1", sent.ID, 1); !errors.Is(err, message.ErrGone) {
		t.Errorf("after 30 days: %v", err)
	}
	// The repeat of so old a request is a new message.
	again, err := g.Submit(t.Context(), m)
	if err != nil || again.Duplicate {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestRejectRetriesByTheContractThenDeadLetters(t *testing.T) {
	s := newSite(t)
	g := s.start()
	send(t, g.Gateway, "INT1", "r1", "r2")
	reject := func(final bool) {
		t.Helper()
		for done := 0; done < 1; {
			found, err := g.Receive(t.Context(), "INT1", 1, soon)
			if err != nil || len(found) != 1 {
				t.Fatalf("%d came, %v", len(found), err)
			}
			if found[0].RequestID == "r2" {
				g.Settle(t.Context(), "INT1", []string{found[0].Lease})
				continue
			}
			if errs := g.Reject(t.Context(), "INT1", []string{found[0].Lease}, "cannot be read", final); errs[0] != nil {
				t.Fatal(errs[0])
			}
			done++
		}
	}
	reject(false)
	for range 2 {
		if found, err := g.Receive(t.Context(), "INT1", 1, 1500*time.Millisecond); err != nil || (len(found) == 1 && found[0].RequestID == "r1") {
			t.Fatalf("before the retry interval: %+v, %v", found, err)
		} else if len(found) == 1 {
			g.Settle(t.Context(), "INT1", []string{found[0].Lease})
		}
		s.step(61 * time.Second)
		reject(false)
	}
	// Two retries were used up.
	letters, err := g.DeadLetters(t.Context(), "acme", "", 10)
	if err != nil || len(letters) != 1 || letters[0].Reason != "rejected: cannot be read" || letters[0].Attempts != 3 {
		t.Errorf("%+v, %v", letters, err)
	}
	send(t, g.Gateway, "INT1", "r3")
	reject(true)
	if n := deadOf(t, g.Gateway, "acme"); n != 2 {
		t.Errorf("%d dead letters after a final rejection", n)
	}
	if status, err := g.Status(t.Context()); err != nil || status.Unsettled != 0 || len(status.DeadLettered) != 1 {
		t.Errorf("%+v, %v", status, err)
	}
}

func TestBadSubmissions(t *testing.T) {
	s := newSite(t)
	g := s.idle()
	change := func(do func(*message.Submission)) *message.Submission {
		m := aMessage("EXT1", "PSIS", "r")
		do(m)
		return m
	}
	p := s.parties["EXT2"]
	p.Workflows = []string{"QUICK"}
	s.parties["EXT2"] = p
	for name, c := range map[string]struct {
		m    *message.Submission
		want error
	}{
		"unknown recipient":   {change(func(m *message.Submission) { m.Recipient = "NOBODY" }), message.ErrUnknownRecipient},
		"unknown interaction": {change(func(m *message.Submission) { m.Interaction = "NONE" }), message.ErrUnknownInteraction},
		"unknown sender":      {change(func(m *message.Submission) { m.Sender = "NOBODY" }), message.ErrNotPermitted},
		"not the recipient's": {change(func(m *message.Submission) { m.Recipient = "EXT2" }), message.ErrNotPermitted},
		"NUL":                 {change(func(m *message.Submission) { m.RequestID = "a\x00b" }), message.ErrInvalid},
		"not UTF-8":           {change(func(m *message.Submission) { m.Subject = "\xff" }), message.ErrInvalid},
		"too long":            {change(func(m *message.Submission) { m.LocalID = string(make([]byte, 301)) }), message.ErrInvalid},
		"oversized":           {change(func(m *message.Submission) { m.Body = make([]byte, 5_000_001) }), message.ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			good := aMessage("EXT1", "PSIS", "good "+name)
			results := g.SubmitBatch(t.Context(), []*message.Submission{c.m, good})
			if !errors.Is(results[0].Err, c.want) || results[1].Err != nil {
				t.Errorf("got %v; beside it %v", results[0].Err, results[1].Err)
			}
		})
	}
}
