// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"time"
	_ "time/tzdata" // images hold nothing but the program, and so no time zones

	"k8s.io/apimachinery/pkg/util/validation/field"
)

var (
	clockPattern    = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)
	mailboxPattern  = regexp.MustCompile(`^[A-Z0-9]{1,32}$`)
	workflowPattern = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)
)

// Validate returns every problem.
func (c *ServiceConfig) Validate() field.ErrorList {
	errs := c.Settings.Validate(nil)
	p := field.NewPath("tokens")
	errs = append(errs, absolute(p.Child("jwksFile"), c.Tokens.JWKSFile, true)...)
	errs = append(errs, text(p.Child("issuer"), c.Tokens.Issuer, 256)...)
	errs = append(errs, text(p.Child("audience"), c.Tokens.Audience, 256)...)
	if intakes := []Intake{IntakeOpen, IntakeClosed, IntakeStopped}; !slices.Contains(intakes, c.Intake) {
		errs = append(errs, field.NotSupported(field.NewPath("intake"), c.Intake, intakes))
	}
	return append(errs, absolute(field.NewPath("providerCAFile"), c.ProviderCAFile, false)...)
}

// Validate returns every problem, under the given path (nil: the root).
func (s *Settings) Validate(at *field.Path) field.ErrorList {
	child := func(names ...string) *field.Path {
		p := at
		for _, n := range names {
			p = p.Child(n)
		}
		return p
	}
	errs := text(child("title"), s.Title, 80)
	if _, err := time.LoadLocation(s.TimeZone); err != nil || s.TimeZone == "Local" {
		errs = append(errs, field.Invalid(child("timeZone"), s.TimeZone, "must be a time zone's name such as Europe/London"))
	}
	for _, n := range []struct {
		group, name string
		value       int32
		least, most int32
	}{
		{"capacity", "apiRequestsPerSecond", s.Capacity.APIRequestsPerSecond, 1, 1000},
		{"capacity", "apiBurst", s.Capacity.APIBurst, 1, 2000},
		{"capacity", "maxBodyBytes", s.Capacity.MaxBodyBytes, 1024, 5_000_000},
		{"capacity", "inFlight", s.Capacity.InFlight, 8, 4096},
		{"capacity", "databaseConnections", s.Capacity.DatabaseConnections, 2, 64},
		{"providers", "answerSeconds", s.Providers.AnswerSeconds, 1, 120},
		{"providers", "concurrency", s.Providers.Concurrency, 1, 256},
		{"poll", "windowMinutes", s.Poll.WindowMinutes, 10, 720},
		{"poll", "servicesLimit", s.Poll.ServicesLimit, 1, 100_000},
		{"poll", "concurrency", s.Poll.Concurrency, 1, 256},
		{"poll", "providerConcurrency", s.Poll.ProviderConcurrency, 1, 32},
		{"poll", "requestsPerSecond", s.Poll.RequestsPerSecond, 1, 500},
		{"poll", "requestSeconds", s.Poll.RequestSeconds, 1, 120},
		{"poll", "daysAhead", s.Poll.DaysAhead, 1, 365},
		{"outbox", "batch", s.Outbox.Batch, 1, 500},
		{"outbox", "maxRetrySeconds", s.Outbox.MaxRetrySeconds, 1, 600},
		{"sessions", "idleMinutes", s.Sessions.IdleMinutes, 5, 60},
		{"sessions", "maxMinutes", s.Sessions.MaxMinutes, s.Sessions.IdleMinutes, 720},
		{"sessions", "signInAttempts", s.Sessions.SignInAttempts, 3, 50},
		{"sessions", "lockMinutes", s.Sessions.LockMinutes, 1, 60},
	} {
		if n.value < n.least || n.value > n.most {
			errs = append(errs, field.Invalid(child(n.group, n.name), n.value, fmt.Sprintf("must be %d to %d", n.least, n.most)))
		}
	}
	if s.Poll.Mode != PollEvening && s.Poll.Mode != PollOff {
		errs = append(errs, field.NotSupported(child("poll", "mode"), s.Poll.Mode, []PollMode{PollEvening, PollOff}))
	}
	if !clockPattern.MatchString(s.Poll.Start) {
		errs = append(errs, field.Invalid(child("poll", "start"), s.Poll.Start, "must be HH:MM such as 18:00"))
	}
	errs = append(errs, mailbox(child("outbox", "from"), s.Outbox.From)...)
	errs = append(errs, mailbox(child("outbox", "to"), s.Outbox.To)...)
	if !workflowPattern.MatchString(s.Outbox.Workflow) {
		errs = append(errs, field.Invalid(child("outbox", "workflow"), s.Outbox.Workflow, "must be 1 to 64 letters, digits and '_'"))
	}
	return errs
}

func text(p *field.Path, s string, most int) field.ErrorList {
	switch {
	case s == "":
		return field.ErrorList{field.Required(p, fmt.Sprintf("1 to %d characters", most))}
	case len([]rune(s)) > most:
		return field.ErrorList{field.TooLong(p, s, most)}
	}
	return nil
}

func mailbox(p *field.Path, s string) field.ErrorList {
	if mailboxPattern.MatchString(s) {
		return nil
	}
	return field.ErrorList{field.Invalid(p, s, "must be a mailbox: 1 to 32 capital letters and digits")}
}

func absolute(p *field.Path, s string, required bool) field.ErrorList {
	switch {
	case s == "" && required:
		return field.ErrorList{field.Required(p, "the absolute path of a file")}
	case s != "" && (!path.IsAbs(s) || len(s) > 256):
		return field.ErrorList{field.Invalid(p, s, "must be an absolute path of at most 256 characters")}
	}
	return nil
}
