// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Default fills in what was left out.
func (c *ServiceConfig) Default() {
	c.Settings.Default()
	str((*string)(&c.Intake), string(IntakeOpen))
}

// Default fills in what was left out. The values are those of the custom
// resource's schema, which a test holds against each other.
func (s *Settings) Default() {
	str(&s.Title, "e-Referral Service")
	str(&s.TimeZone, "Europe/London")
	num(&s.Capacity.APIRequestsPerSecond, 10)
	num(&s.Capacity.APIBurst, 20)
	num(&s.Capacity.MaxBodyBytes, 1_000_000)
	num(&s.Capacity.InFlight, 256)
	num(&s.Capacity.DatabaseConnections, 12)
	num(&s.Providers.AnswerSeconds, 120)
	num(&s.Providers.Concurrency, 16)
	str((*string)(&s.Poll.Mode), string(PollEvening))
	str(&s.Poll.Start, "18:00")
	num(&s.Poll.WindowMinutes, 360)
	num(&s.Poll.ServicesLimit, 50_000)
	num(&s.Poll.Concurrency, 32)
	num(&s.Poll.ProviderConcurrency, 2)
	num(&s.Poll.RequestsPerSecond, 50)
	num(&s.Poll.RequestSeconds, 20)
	num(&s.Poll.DaysAhead, 180)
	str(&s.Outbox.From, "ERS")
	str(&s.Outbox.To, "ERSEVENTS")
	str(&s.Outbox.Workflow, "ERS_BOOKING_EVENT")
	num(&s.Outbox.Batch, 100)
	num(&s.Outbox.MaxRetrySeconds, 30)
	num(&s.Sessions.IdleMinutes, 20)
	num(&s.Sessions.MaxMinutes, 240)
	num(&s.Sessions.SignInAttempts, 5)
	num(&s.Sessions.LockMinutes, 15)
}

func str(s *string, v string) {
	if *s == "" {
		*s = v
	}
}

func num(n *int32, v int32) {
	if *n == 0 {
		*n = v
	}
}
