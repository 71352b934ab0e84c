// SPDX-License-Identifier: Apache-2.0

package fhir

import (
	"sync"
	"time"
)

// maxApplications bounds the memory of rates. Only verified applications get
// this far.
const maxApplications = 10_000

// rates counts requests of each application with a token bucket.
type rates struct {
	mu      sync.Mutex
	buckets map[string]*bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newRates() *rates { return &rates{buckets: map[string]*bucket{}} }

// take is 0 when the application may go on, else how long it should wait.
func (r *rates) take(application string, l Limits, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.buckets[application]
	if b == nil {
		if len(r.buckets) >= maxApplications {
			r.forget(l, now)
		}
		b = &bucket{tokens: float64(l.Burst), at: now}
		r.buckets[application] = b
	}
	perSecond := float64(l.RequestsPerSecond)
	b.tokens = min(float64(l.Burst), b.tokens+now.Sub(b.at).Seconds()*perSecond)
	b.at = now
	if b.tokens < 1 {
		return time.Duration((1 - b.tokens) / perSecond * float64(time.Second))
	}
	b.tokens--
	return 0
}

// forget drops buckets that are full again: they say nothing.
func (r *rates) forget(l Limits, now time.Time) {
	for application, b := range r.buckets {
		if b.tokens+now.Sub(b.at).Seconds()*float64(l.RequestsPerSecond) >= float64(l.Burst) {
			delete(r.buckets, application)
		}
	}
}
