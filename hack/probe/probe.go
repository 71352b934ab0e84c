// SPDX-License-Identifier: Apache-2.0

// Package probe watches an HTTP endpoint as a client would and says for how long it was away.
package probe

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Report is what a probe saw. A request that found no good answer within its time limit is a failure.
type Report struct {
	Requests, Failures int
	// LongestGap is the longest time between the arrival of one good answer and the next, less one interval: with an
	// endpoint that always answers it is close to zero.
	LongestGap time.Duration
	// LastFailure is the latest failure's text, empty when there was none.
	LastFailure string
}

func (r Report) String() string {
	return fmt.Sprintf("%d requests, %d failed, longest gap %.2f s", r.Requests, r.Failures, r.LongestGap.Seconds())
}

// Probe sends requests at a fixed interval, each on a new connection and none waiting for the one before, so that a
// request that hangs does not hide an endpoint that is back.
type Probe struct {
	cancel context.CancelFunc
	done   chan struct{}
	mu     sync.Mutex
	seen   gaps
	report Report
}

// Start begins to ask for url with client every interval, until Stop. The client should not keep connections alive.
// Each request may take up to timeout; any status other than 200 is a failure.
func Start(client *http.Client, url string, interval, timeout time.Duration) *Probe {
	ctx, cancel := context.WithCancel(context.Background())
	p := &Probe{cancel: cancel, done: make(chan struct{}), seen: gaps{interval: interval}}
	go func() {
		defer close(p.done)
		var requests sync.WaitGroup
		defer requests.Wait()
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				requests.Go(func() { p.record(ask(ctx, client, url, timeout)) })
			}
		}
	}()
	return p
}

// Stop ends the probe and returns what it saw. A gap that is still open counts up to now.
func (p *Probe) Stop() Report {
	p.mu.Lock()
	p.seen.good(time.Now())
	p.report.LongestGap = p.seen.longest
	report := p.report
	p.mu.Unlock()
	p.cancel()
	<-p.done
	return report
}

func (p *Probe) record(err error) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.report.Requests++
	if err != nil {
		p.report.Failures++
		p.report.LastFailure = err.Error()
		return
	}
	p.seen.good(now)
}

func ask(ctx context.Context, client *http.Client, url string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", resp.Status)
	}
	return nil
}

// gaps finds the longest time without a good answer.
type gaps struct {
	interval time.Duration
	last     time.Time
	longest  time.Duration
}

func (g *gaps) good(at time.Time) {
	if !g.last.IsZero() {
		g.longest = max(g.longest, at.Sub(g.last)-g.interval)
	}
	if at.After(g.last) {
		g.last = at
	}
}
