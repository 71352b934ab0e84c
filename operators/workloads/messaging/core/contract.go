// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"strconv"
	"time"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/ledger"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// verdict is what follows a failed delivery.
type verdict int

const (
	// again: another attempt after the retry interval.
	again verdict = iota
	// deadLetter: out of the way, kept for an operator.
	deadLetter
	// abandon: an express message; its sender is told and repeats it if it cares.
	abandon
)

// decide is the contract of an interaction after attempts (at least 1) have failed. Permanent: no attempt can succeed.
func decide(pattern api.Pattern, contract *api.Reliability, attempts int, accepted, now time.Time, permanent bool) (verdict, time.Time) {
	if !pattern.Reliable() {
		return abandon, time.Time{}
	}
	if permanent || contract == nil || attempts > int(contract.Retries) {
		return deadLetter, time.Time{}
	}
	at := now.Add(contract.RetryInterval.Duration)
	if persist := contract.PersistDuration.Duration; persist > 0 && at.After(accepted.Add(persist)) {
		return deadLetter, time.Time{}
	}
	return again, at
}

// failed does what the contract says after a failed delivery, and ends the reference.
func (g *Gateway) failed(ctx context.Context, ref ledger.Ref, attempts int, reason string, permanent bool) error {
	about, _, found, err := g.ledger.About(ctx, ref)
	if err != nil {
		return err
	}
	if !found {
		g.forget(ref.Lane, ref.Seq)
		return nil
	}
	pattern, supplier := api.PatternForwardReliable, ""
	var contract *api.Reliability
	if party, ok := g.config.Directory.Party(about.Recipient); ok {
		supplier = party.Supplier
	}
	if route, ok := g.routes.Lookup(about.Interaction); ok {
		pattern, contract = route.Pattern, route.Reliability
		if route.Delivery == api.DeliveryPush {
			supplier = route.Supplier
		}
	} else if about.Flags&ledger.FlagExpress != 0 {
		// The route is gone; what it promised was noted on the message.
		pattern = api.PatternForwardExpress
	}
	what, at := decide(pattern, contract, attempts, ref.Seq.At(), g.now(), permanent)
	switch what {
	case again:
		err = g.ledger.Later(ctx, ref, attempts, at)
	case deadLetter:
		g.metrics.dead.WithLabelValues(supplier).Inc()
		_, err = g.ledger.Bury(ctx, ref, attempts, supplier, reason)
	case abandon:
		// The report first: if this replica dies in between, the attempt and the report repeat, and the report's
		// request id makes one of two.
		if err = g.report(about, codeUndeliverable, reason); err == nil {
			_, err = g.ledger.Abandon(ctx, ref, reason)
		}
	}
	if err == nil {
		g.forget(ref.Lane, ref.Seq)
	}
	return err
}

// Codes of reports, as MESH publishes them.
const (
	codeUncollected   = "14"
	codeUndeliverable = "06"
)

// reporter is the sender of reports.
const reporter = "SPINE"

// report tells a message's sender that it was not delivered. A report about a report is not made.
func (g *Gateway) report(about ledger.Uncollected, code, description string) error {
	if about.Flags&ledger.FlagReport != 0 {
		return nil
	}
	id := about.Seq.String()
	to, known := g.config.Directory.Party(about.Sender)
	if !known {
		return nil
	}
	e := &ledger.Entry{
		Submission: &message.Submission{
			Sender: reporter, Recipient: about.Sender, Interaction: about.Interaction,
			RequestID: "report:" + id + ":" + code, LocalID: about.Local, Subject: about.Subject,
		},
		Lane: about.Sender, Flags: ledger.FlagReport, Parts: 1, Dedupe: true,
		Report: &message.Report{LinkedID: id, To: about.Recipient, Code: code, Description: description, Event: "SEND"},
	}
	if to.Internal {
		e.Flags |= ledger.FlagDispatched
	}
	if err := g.commit([]*ledger.Entry{e}); err != nil {
		return err
	}
	return e.Err
}

// days writes a duration for a report.
func days(d time.Duration) string {
	if d%(24*time.Hour) == 0 {
		return strconv.Itoa(int(d/(24*time.Hour))) + " days"
	}
	return d.String()
}
