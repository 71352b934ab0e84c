// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

func TestGaps(t *testing.T) {
	at := func(ms ...int) (out []time.Time) {
		for _, m := range ms {
			out = append(out, time.UnixMilli(int64(m)+1_000_000))
		}
		return out
	}
	tests := map[string]struct {
		good []time.Time
		want time.Duration
	}{
		"no answer":          {nil, 0},
		"one answer":         {at(0), 0},
		"steady":             {at(0, 100, 200, 300), 0},
		"one gap":            {at(0, 100, 3200, 3300), 3 * time.Second},
		"the longest counts": {at(0, 1100, 1200, 5300, 5400, 6000), 4 * time.Second},
		"a late answer does not reopen a closed gap": {at(0, 500, 400, 600), 400 * time.Millisecond},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := gaps{interval: 100 * time.Millisecond}
			for _, x := range tt.good {
				g.good(x)
			}
			if g.longest != tt.want {
				t.Errorf("longest gap %s, want %s", g.longest, tt.want)
			}
		})
	}
}

func TestProbeSeesAnOutage(t *testing.T) {
	var down atomic.Bool
	asked := make(chan bool, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		off := down.Load()
		if off {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		asked <- off
	}))
	defer server.Close()
	await := func(n int, off bool) {
		for n > 0 {
			if <-asked == off {
				n--
			}
		}
	}

	p := Start(server.Client(), server.URL, 5*time.Millisecond, time.Second)
	await(3, false)
	down.Store(true)
	begin := time.Now()
	await(20, true)
	outage := time.Since(begin)
	down.Store(false)
	await(3, false)
	report := p.Stop()

	if report.Failures < 19 || report.LongestGap < outage/2 {
		t.Errorf("an outage of %s was reported as: %s", outage, report)
	}
	if report.LastFailure != "status 503 Service Unavailable" {
		t.Errorf("last failure %q", report.LastFailure)
	}
}
