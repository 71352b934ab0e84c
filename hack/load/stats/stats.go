// SPDX-License-Identifier: Apache-2.0

// Package stats counts what a running generator sees, for its own report. The checker's result, from the record, is
// the one that proves something.
package stats

import (
	"cmp"
	"fmt"
	"io"
	"sync"
	"time"

	"spine.nhs.uk/controlplane/hack/load/arrival"
	"spine.nhs.uk/controlplane/hack/load/check"
	"spine.nhs.uk/controlplane/hack/load/record"
)

// Report of a run, or of a part of it.
type Report struct {
	// Name of what was asked for: "bulk", "mesh", "plain", or a kind of page.
	Name string `json:"name"`
	// Seconds that the run lasted, with the answers that it waited for.
	Seconds float64 `json:"seconds"`
	// Offered is how many requests a second were meant to begin, 0 for as many as possible.
	Offered float64 `json:"offeredPerSecond"`
	// PerSecond is acknowledgements a second, from the first to the last.
	PerSecond    float64 `json:"perSecond"`
	Acknowledged int64   `json:"acknowledged"`
	// Retried counts tries that were left without a clear answer and were repeated; PushedBack those that the system
	// asked to repeat later (429, 503).
	Retried    int64 `json:"retried"`
	PushedBack int64 `json:"pushedBack"`
	// Refused for good, and Ambiguous: given up without a clear answer.
	Refused   int64 `json:"refused"`
	Ambiguous int64 `json:"ambiguous"`
	// Unsent were due, but not even begun when the run was given up, as everything before them was still without an answer.
	Unsent int64 `json:"unsent"`
	// Latency from intended start to acknowledgement.
	Latency check.Latencies `json:"latency"`
	// LongestGap in acknowledgements.
	LongestGap check.Gap `json:"longestGap"`
	// Trouble is the latest reason for a refusal or a retry; empty when there was none.
	Trouble string `json:"trouble,omitempty"`
	// Refusal is the first reason for a refusal, where whoever refused gave one.
	Refusal string `json:"refusal,omitempty"`
}

// Write renders the report for people.
func (r Report) Write(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%-8s %d acknowledged in %.1f s: %.1f/s of %.1f/s offered; p50 %.1f ms, p99 %.1f ms, p99.9 %.1f ms, longest %.1f ms\n",
		r.Name, r.Acknowledged, r.Seconds, r.PerSecond, r.Offered, r.Latency.P50, r.Latency.P99, r.Latency.P999, r.Latency.Max)
	if err == nil && r.LongestGap.Long > 0 {
		_, err = fmt.Fprintf(w, "%-8s longest gap %.3f s from %s\n", "", r.LongestGap.Seconds, r.LongestGap.Start.Format(time.RFC3339Nano))
	}
	if err == nil && r.Trouble != "" {
		_, err = fmt.Fprintf(w, "%-8s %d retried, %d pushed back, %d refused, %d ambiguous, %d not even sent; latest: %s\n",
			"", r.Retried, r.PushedBack, r.Refused, r.Ambiguous, r.Unsent, r.Trouble)
	}
	return err
}

// Meter gathers a report. It is safe for concurrent use.
type Meter struct {
	mu        sync.Mutex
	report    Report
	histogram *check.Histogram
	acks      check.Timeline
	begin     time.Time
	// window counts since the last Tick.
	window     int64
	windowFrom time.Time
	recent     *check.Histogram
}

// NewMeter begins now.
func NewMeter(name string, offered float64) *Meter {
	now := time.Now()
	return &Meter{
		report: Report{Name: name, Offered: offered}, histogram: check.NewHistogram(), recent: check.NewHistogram(),
		begin: now, windowFrom: now,
	}
}

// Count takes in final outcomes: acknowledged, duplicate, refused and ambiguous.
func (m *Meter) Count(events []record.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range events {
		e := &events[i]
		switch e.Kind {
		case record.Acknowledged, record.Duplicate:
			m.report.Acknowledged++
			m.window++
			m.histogram.Add(e.Latency())
			m.recent.Add(e.Latency())
			// A time outside any run is the checker's to report.
			_ = m.acks.Add(e.At)
		case record.Refused:
			m.report.Refused++
		case record.Ambiguous:
			m.report.Ambiguous++
		}
	}
}

// Trouble notes tries that will be repeated, or why something was refused; it must not quote a body.
func (m *Meter) Trouble(retried, pushedBack int, why string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.report.Retried += int64(retried)
	m.report.PushedBack += int64(pushedBack)
	m.report.Trouble = why
}

// Refusal notes why something was refused; it must not quote a body.
func (m *Meter) Refusal(why string) {
	m.Trouble(0, 0, why)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.report.Refusal = cmp.Or(m.report.Refusal, why)
}

// Unsent counts what was due by now and is left of a schedule that was given up.
func (m *Meter) Unsent(s *arrival.Schedule) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now().UnixNano()
	for {
		if at, left := s.Peek(); !left || at > now {
			return
		}
		s.Pop()
		m.report.Unsent++
	}
}

// Tick says in a line what happened since the last one.
func (m *Meter) Tick() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	l := m.recent.Latencies()
	line := fmt.Sprintf("%s: %.0f/s, p50 %.1f ms, p99 %.1f ms; in all %d acknowledged, %d retried, %d pushed back, %d refused, %d ambiguous",
		m.report.Name, float64(m.window)/now.Sub(m.windowFrom).Seconds(), l.P50, l.P99,
		m.report.Acknowledged, m.report.Retried, m.report.PushedBack, m.report.Refused, m.report.Ambiguous)
	m.window, m.windowFrom, m.recent = 0, now, check.NewHistogram()
	return line
}

// Report so far.
func (m *Meter) Report() Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.report
	r.Seconds = time.Since(m.begin).Seconds()
	r.Latency, r.LongestGap = m.histogram.Latencies(), m.acks.LongestGap()
	if s := m.acks.Span().Seconds(); s > 0 {
		r.PerSecond = float64(r.Acknowledged) / s
	}
	return r
}
