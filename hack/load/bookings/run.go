// SPDX-License-Identifier: Apache-2.0

package bookings

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"spine.nhs.uk/controlplane/hack/load/arrival"
	"spine.nhs.uk/controlplane/hack/load/record"
	"spine.nhs.uk/controlplane/hack/load/stats"
)

// Options of a run.
type Options struct {
	// URL is the base of the service; Client, what all users share.
	URL    string
	Client *http.Client
	// Tokens sign users in; they are taken in turn.
	Tokens []string
	// Users at their browsers. When all are busy, further pages begin late and are charged for it.
	Users    int
	Schedule *arrival.Schedule
	Record   *record.Writer
	Pages    *stats.Meter
	// Services and Slots are how many of the first offered users choose from: few makes them collide.
	Services, Slots int
	// Cancel and Rebook are the shares of bookings that are cancelled, or changed.
	Cancel, Rebook float64
	RetryFor       time.Duration
	Seed           uint64
}

// Run does pages as they are due. It ends with the schedule, at the latest RetryFor after its end, or with the context.
func Run(ctx context.Context, o Options) error {
	ctx, stop := context.WithDeadline(ctx, o.Schedule.End().Add(o.RetryFor))
	defer stop()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	idle := make(chan *user, o.Users)
	for n := range o.Users {
		b, err := newBrowser(o.URL, o.Client)
		if err != nil {
			return err
		}
		u := &user{
			number: uint16(n), token: o.Tokens[n%len(o.Tokens)], browser: b, record: o.Record, pages: o.Pages, options: &o,
			random: rand.New(rand.NewPCG(o.Seed, uint64(n))),
		}
		u.next = u.staffPage
		idle <- u
	}
	random := rand.New(rand.NewPCG(o.Seed, uint64(o.Users)))
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		at, ok := o.Schedule.Peek()
		if !ok {
			return nil
		}
		o.Schedule.Pop()
		start := time.Unix(0, at)
		pause(ctx, time.Until(start))
		var u *user
		select {
		case <-ctx.Done():
			o.Pages.Unsent(o.Schedule)
			return cause(ctx)
		case u = <-idle:
			u = anyOf(idle, u, random)
		}
		wg.Go(func() {
			defer func() { idle <- u }()
			if err := u.step(ctx, start); err != nil {
				fail(err)
			}
		})
	}
}

// anyOf is that user, or one of the others who are idle. Taken in turn, all users would come to their bookings at the
// same time, with seconds between in which nobody books.
func anyOf(idle chan *user, u *user, random *rand.Rand) *user {
	for random.IntN(2) == 0 {
		idle <- u
		u = <-idle
	}
	return u
}

// cause is why a run ended early; being interrupted is no failure.
func cause(ctx context.Context) error {
	var broken *recordError
	if err := context.Cause(ctx); errors.As(err, &broken) {
		return err
	}
	return nil
}

// step does the user's next page. A user who gets nowhere starts again from signing in; only a record that cannot be
// written ends the run.
func (u *user) step(ctx context.Context, start time.Time) error {
	err := u.next(ctx, start)
	var broken *recordError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &broken):
		return err
	}
	u.next = u.staffPage
	return nil
}
