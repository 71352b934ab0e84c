// SPDX-License-Identifier: Apache-2.0

package domain

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestUBRNs(t *testing.T) {
	seen := map[UBRN]bool{}
	for range 1000 {
		u, err := NewUBRN(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if len(u) != 12 || u.MistypedLikely() || seen[u] || UBRNFromNumber(u.Number()) != u {
			t.Fatalf("%s", u)
		}
		seen[u] = true
		for i := range 12 { // any one digit mistyped
			typo := []byte(u)
			typo[i] = '0' + (typo[i]-'0'+1)%10
			if !UBRN(typo).MistypedLikely() {
				t.Fatalf("%s passes for %s", typo, u)
			}
		}
	}
	for text, want := range map[string]UBRN{"000000070000": "000000070000", " 0000 0007 0001 ": "000000070001", "123": "", "00000007000x": "",
		"": "", "0000000700000": "", strings.Repeat(" ", 50): ""} {
		if got, err := ParseUBRN(text); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if got := UBRN("000000070001").Spaced(); got != "0000 0007 0001" {
		t.Error(got)
	}
}

func TestNHSNumbersAreCheckedAndNeverPrinted(t *testing.T) {
	for text, ok := range map[string]bool{"9912003888": true, "991 200 3888": true, "1000000001": true, "9912003889": false, "99120038": false,
		"991200388a": false, "": false, strings.Repeat("9", 40): false} {
		n, err := ParseNHSNumber(text)
		if (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
		if err != nil && text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("the error repeats the number: %v", err)
		}
		if ok && n.Digits() != strings.ReplaceAll(text, " ", "") {
			t.Errorf("%q: %q", text, n.Digits())
		}
	}
	n := NHSNumber("9912003888")
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "n", n, "r", fmt.Sprintf("%v %+v %#v %s", n, Referral{Patient: n}, struct{ N NHSNumber }{n}, n))
	if strings.Contains(log.String(), "9912003888") {
		t.Error(log.String())
	}
}

// TestTransitions holds the table against the life of a referral as a person
// would draw it.
func TestTransitions(t *testing.T) {
	for _, c := range []struct {
		from  State
		event Event
		to    State // empty: refused
	}{
		{NotBooked, EventBook, Booked}, {Booked, EventBook, Booked}, {DeferredToProvider, EventBook, Booked}, {CancelledReferral, EventBook, ""},
		{AwaitingTriage, EventBook, ""}, {NotBooked, EventDefer, DeferredToProvider}, {Booked, EventDefer, ""}, {DeferredToProvider, EventDefer, ""},
		{CancelledByPatient, EventBook, Booked}, {Rejected, EventTriage, AwaitingTriage}, {Booked, EventAccept, Booked}, {NotBooked, EventAccept, ""},
		{Booked, EventReject, Rejected}, {DeferredToProvider, EventReject, Rejected}, {Rejected, EventReject, ""},
		{Booked, EventCancelByPatient, CancelledByPatient}, {Booked, EventCancelByProvider, CancelledByProvider}, {NotBooked, EventCancelByPatient, ""},
		{Booked, EventNotAttended, DidNotAttend}, {DidNotAttend, EventBook, Booked}, {AwaitingTriage, EventTriageReturn, TriageResponse},
		{AwaitingTriage, EventTriageKeep, TriagedProviderToAction}, {CancelledReferral, EventCancelReferral, ""},
		{Booked, EventDisplace, DeferredToProvider}, {DeferredToProvider, EventDisplace, ""},
	} {
		got, err := c.from.Next(c.event)
		var refused *StateError
		if c.to == "" && (!errors.As(err, &refused) || got != c.from) || c.to != "" && (err != nil || got != c.to) {
			t.Errorf("%s, %s: %s, %v; expected %q", c.from, c.event, got, err, c.to)
		}
	}
	for _, s := range States() {
		if s.Display() == "" {
			t.Errorf("%s has no display text", s)
		}
		if _, err := s.Next(EventCancelReferral); (err == nil) == (s == CancelledReferral) {
			t.Errorf("%s: cancelling the referral: %v", s, err)
		}
	}
	for event, moves := range transitions {
		for from, to := range moves {
			if from == CancelledReferral {
				t.Errorf("%s leads out of the final state", event)
			}
			if to.Display() == "" {
				t.Errorf("%s from %s leads to the unknown %q", event, from, to)
			}
		}
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	r := &Referral{UBRN: "000000070000", Referrer: "R69", Provider: "RX1"}
	for name, c := range map[string]struct {
		who  Caller
		act  Act
		may  bool
		owns bool
	}{
		"referrer":         {Caller{Organisation: "R69", Role: ReferringClinician}, ActBook, true, true},
		"another referrer": {Caller{Organisation: "B82", Role: ReferringClinician}, ActBook, true, false},
		"referring admin":  {Caller{Organisation: "R69", Role: ReferringAdmin}, ActBook, false, true},
		"provider":         {Caller{Organisation: "RX1", Role: ProviderClinician}, ActReview, true, true},
		"provider books":   {Caller{Organisation: "RX1", Role: ProviderClinician}, ActBook, false, true},
		"crossed":          {Caller{Organisation: "R69", Role: ProviderClinician}, ActReview, true, false},
		"patient":          {Caller{UBRN: "000000070000", Role: PatientRole}, ActBook, true, true},
		"another patient":  {Caller{UBRN: "000000070001", Role: PatientRole}, ActRead, true, false},
		"patient reviews":  {Caller{UBRN: "000000070000", Role: PatientRole}, ActReview, false, true},
		"nobody":           {Caller{}, ActRead, false, false},
	} {
		if err := c.who.May(c.act); (err == nil) != c.may {
			t.Errorf("%s: may: %v", name, err)
		}
		if err := c.who.Owns(r); (err == nil) != c.owns {
			t.Errorf("%s: owns: %v", name, err)
		}
	}
	// A referral that no provider holds belongs to no provider without a name.
	if err := (Caller{Role: ProviderAdmin}).Owns(&Referral{}); err == nil {
		t.Error("an empty organisation owns what nobody holds")
	}
}

func TestReasons(t *testing.T) {
	var rule *RuleError
	if err := AppointmentReasons.Check(Reason{Code: "PATIENT_ILL"}); err != nil {
		t.Error(err)
	}
	if err := AppointmentReasons.Check(Reason{Code: "INTEND_PRIVATE"}); !errors.As(err, &rule) || rule.Code != "INAPPROPRIATE_VALUE" {
		t.Error(err)
	}
	if err := AppointmentReasons.Check(Reason{Code: "PATIENT_APPOINTMENT_CANCELLATION_OTHER"}); !errors.As(err, &rule) || rule.Code != "MISSING_VALUE" {
		t.Error(err)
	}
}

func FuzzParseUBRN(f *testing.F) {
	f.Add("000000070000")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseUBRN(text)
		if err == nil && (len(u) != 12 || UBRNFromNumber(u.Number()) != u) {
			t.Fatalf("%q: %q", text, u)
		}
	})
}

func FuzzParseNHSNumber(f *testing.F) {
	f.Add("9912003888")
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := ParseNHSNumber(text); err == nil {
			if again, err := ParseNHSNumber(n.Digits()); err != nil || again != n {
				t.Fatalf("%q", text)
			}
		}
	})
}
