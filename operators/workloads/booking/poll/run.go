// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"context"
	"slices"
	"strconv"
	"time"

	"k8s.io/utils/clock"

	"spine.nhs.uk/controlplane/operators/workloads/booking/provider"
)

// Source answers which slots a service offers; *provider.Client does.
type Source interface {
	Availability(ctx context.Context, service provider.Service, period provider.Period) ([]provider.Slot, error)
}

// Report is how one run of an evening went.
type Report struct {
	// Outcomes counts services by outcome.
	Outcomes map[Outcome]int
	// Unreached is how many services had no outcome when the run ended, and Behind the systems with most of them.
	Unreached int
	Behind    []Behind
	Took      time.Duration
}

// Behind is a provider's system with services that were not reached.
type Behind struct {
	Endpoint string
	Services int
}

// mostBehind bounds Report.Behind.
const mostBehind = 10

// run asks for one evening's services.
type run struct {
	clock    clock.Clock
	source   Source
	settings Settings
	period   provider.Period
	fleet    *fleet
	asking   int
	answers  chan answered
	nextAt   time.Time // the pace: no request before it
	pressed  func() bool
	report   Report
}

// answered is an answer on its way back to the run.
type answered struct {
	system *system
	task   task
	slots  []provider.Slot
	err    error
	took   time.Duration
}

// slowedBy is how much slower the poll goes while people are being slowed down.
const slowedBy = 10

// ask asks until everything has an outcome, the window closes, or ctx ends, and hands each result to store. When the
// window closes it waits for the answers that are on their way: the client's limit bounds them.
func (r *run) ask(ctx context.Context, closes time.Time, store chan<- Result) {
	began := r.clock.Now()
	r.answers = make(chan answered)
	r.report.Outcomes = map[Outcome]int{}
	for {
		now := r.clock.Now()
		open := ctx.Err() == nil && now.Before(closes)
		if open && r.start(ctx, now) {
			continue
		}
		if r.asking == 0 && (!open || r.fleet.left == 0) {
			break
		}
		timer := r.clock.NewTimer(r.untilNext(now, closes, open))
		select {
		case a := <-r.answers:
			r.take(ctx, a, store)
		case <-timer.C():
		}
		timer.Stop()
	}
	r.report.Took = r.clock.Since(began)
	r.countUnreached()
}

// start sends the next request if the pace, the bounds and the systems allow one now.
func (r *run) start(ctx context.Context, now time.Time) bool {
	if r.asking >= r.settings.Concurrency || now.Before(r.nextAt) {
		return false
	}
	s, t, ok := r.fleet.next(now)
	if !ok {
		return false
	}
	interval := time.Second / time.Duration(r.settings.PerSecond)
	if r.pressed() {
		interval *= slowedBy
	}
	r.nextAt = now.Add(interval)
	r.asking++
	go func() {
		begun := r.clock.Now()
		slots, err := r.source.Availability(ctx, provider.Service{ID: strconv.FormatInt(t.Service, 10), Endpoint: t.Endpoint}, r.period)
		r.answers <- answered{system: s, task: t, slots: slots, err: err, took: r.clock.Since(begun)}
	}()
	return true
}

// untilNext is how long nothing can be started, unless an answer comes.
func (r *run) untilNext(now, closes time.Time, open bool) time.Duration {
	if !open {
		return time.Hour // only answers matter now, and the client's limit is far shorter
	}
	until := closes
	if at, ok := r.fleet.wake(); ok && r.asking < r.settings.Concurrency {
		if r.nextAt.After(at) {
			at = r.nextAt
		}
		if at.Before(until) {
			until = at
		}
	}
	return max(until.Sub(now), time.Millisecond)
}

// take records an answer. What a stopped run was still asking has no outcome: it is pending for the next one.
func (r *run) take(ctx context.Context, a answered, store chan<- Result) {
	r.asking--
	if ctx.Err() != nil {
		a.system.asking--
		r.fleet.again(a.system, a.task)
		return
	}
	now := r.clock.Now()
	outcome, final := r.fleet.answered(a.system, a.task, a.err, a.took, now)
	if !final {
		return
	}
	r.report.Outcomes[outcome]++
	result := Result{Service: a.task.Service, Outcome: outcome, Attempts: a.task.attempts, At: now}
	if outcome == Updated {
		result.Slots = a.slots
	}
	if outcome != Silent {
		result.Attempts++ // the fleet counts unanswered attempts only
	} else {
		result.Attempts = attempts
	}
	select {
	case store <- result:
	case <-ctx.Done():
	}
}

func (r *run) countUnreached() {
	for _, s := range r.fleet.systems {
		if len(s.tasks) > 0 {
			r.report.Unreached += len(s.tasks)
			r.report.Behind = append(r.report.Behind, Behind{Endpoint: s.endpoint, Services: len(s.tasks)})
		}
	}
	slices.SortStableFunc(r.report.Behind, func(a, b Behind) int { return b.Services - a.Services })
	r.report.Behind = r.report.Behind[:min(len(r.report.Behind), mostBehind)]
}
