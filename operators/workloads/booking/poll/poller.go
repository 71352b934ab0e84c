// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"k8s.io/utils/clock"

	"spine.nhs.uk/controlplane/operators/workloads/booking/provider"
)

const (
	// look is how often a replica that does not poll looks whether it should: the time after which another one goes on
	// with the evening of a replica that died.
	look = 15 * time.Second
	// storeAfter is how long after the window closes results may still be stored.
	storeAfter = 5 * time.Minute
)

// Config is what a Poller needs. All fields are required.
type Config struct {
	Store  Store
	Source Source
	// Settings returns the settings in force.
	Settings func() Settings
	// Pressed says that people are being slowed down, for example by requests that queue.
	Pressed func() bool
	Clock   clock.Clock
	Log     *slog.Logger
}

// Poller polls every evening, on one replica at a time.
type Poller struct{ Config }

// New makes a poller.
func New(config Config) (*Poller, error) {
	if config.Store == nil || config.Source == nil || config.Settings == nil || config.Pressed == nil || config.Clock == nil || config.Log == nil {
		return nil, errors.New("poll: expected every field of the configuration")
	}
	return &Poller{config}, nil
}

// Run polls until ctx ends.
func (p *Poller) Run(ctx context.Context) {
	for ctx.Err() == nil {
		settings := p.Settings()
		now := p.Clock.Now()
		window := WindowAt(now, settings)
		if settings.On && !now.Before(window.Opens) {
			p.evening(ctx, settings, window)
		}
		select {
		case <-ctx.Done():
		case <-p.Clock.After(look):
		}
	}
}

// Status is how the last evening went, or goes; the same on every replica.
func (p *Poller) Status(ctx context.Context) (Status, error) { return p.Store.Status(ctx) }

// evening polls what is left of an evening, if no other replica does.
func (p *Poller) evening(ctx context.Context, settings Settings, window Window) {
	log := p.Log.With("evening", window.Evening)
	hold, err := p.Store.Begin(ctx, window.Evening)
	switch {
	case errors.Is(err, ErrElsewhere), errors.Is(err, ErrDone):
		return
	case err != nil:
		log.Warn("the evening poll cannot begin, trying again", "error", err)
		return
	}
	defer hold.Release()
	targets, err := hold.Pending(ctx, settings.Limit)
	if err != nil {
		log.Warn("the evening poll cannot list its services, trying again", "error", err)
		return
	}
	log.Info("the evening poll begins", "services", len(targets), "until", window.Closes)
	report, err := p.poll(ctx, settings, window, hold, targets)
	attributes := []any{"outcomes", report.Outcomes, "unreached", report.Unreached, "behind", report.Behind, "took", report.Took}
	if err != nil {
		log.Warn("the evening poll was interrupted", append(attributes, "error", err)...)
		return
	}
	if err := hold.Finish(ctx); err != nil {
		log.Warn("the end of the evening poll cannot be recorded", append(attributes, "error", err)...)
		return
	}
	level := slog.LevelInfo
	if report.Unreached > 0 {
		level = slog.LevelWarn
	}
	log.Log(ctx, level, "the evening poll ended", attributes...)
}

// poll asks for targets and stores what comes. An error says that it was interrupted: the rest is pending.
func (p *Poller) poll(ctx context.Context, settings Settings, window Window, hold Hold, targets []Target) (Report, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-hold.Lost():
			cancel(ErrFenced)
		case <-ctx.Done():
		}
	}()
	now := p.Clock.Now().UTC().Truncate(time.Second)
	period := provider.Period{From: now, To: now.AddDate(0, 0, settings.DaysAhead)}
	r := &run{clock: p.Clock, source: p.Source, settings: settings, period: period, fleet: newFleet(targets, settings.PerSystem), pressed: p.Pressed}

	results := make(chan Result, batchServices)
	written := make(chan error, 1)
	go func() {
		w := &writer{clock: p.Clock, hold: hold, period: period}
		err := w.write(ctx, results)
		if err != nil {
			cancel(err)
		}
		written <- err
	}()
	r.ask(ctx, window.Closes, results)
	close(results)
	select {
	case err := <-written:
		return r.report, errors.Join(err, context.Cause(ctx))
	case <-p.Clock.After(max(window.Closes.Add(storeAfter).Sub(p.Clock.Now()), storeAfter)):
		cancel(errors.New("the database was away when the window closed"))
		return r.report, errors.Join(<-written, context.Cause(ctx))
	}
}
