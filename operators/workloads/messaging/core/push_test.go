// SPDX-License-Identifier: Apache-2.0

//go:build engines

package core

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// endpoint is a supplier's system: it notes what came and answers as answer says.
type endpoint struct {
	*httptest.Server
	mu     sync.Mutex
	came   []string
	times  []time.Time
	answer func(request string) int
}

func newEndpoint(t *testing.T, answer func(request string) int) *endpoint {
	e := &endpoint{answer: answer}
	e.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		request := r.Header.Get("Spine-Request-Id")
		if r.Header.Get("Spine-Message-Id") != "" && string(body) != "body of "+request {
			t.Errorf("body %q for request %q", body, request)
		}
		e.mu.Lock()
		e.came, e.times = append(e.came, request), append(e.times, time.Now())
		e.mu.Unlock()
		w.WriteHeader(e.answer(request))
		_, _ = w.Write([]byte("answer"))
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) count(prefix string) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.came {
		if strings.HasPrefix(c, prefix) {
			n++
		}
	}
	return n
}

func insecure() http.RoundTripper {
	return &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
}

const pushConfig = `
service: test/spine
suppliers: [{name: acme}, {name: slow, messagesPerSecond: 10, traffic: %s}, {name: other}]
routes:
- {interaction: BAD, pattern: ForwardReliable, supplier: acme, delivery: Push, endpoint: %q, reliability: {retries: 1, retryInterval: 1h, persistDuration: 7h}}
- {interaction: SLOW, pattern: ForwardReliable, supplier: slow, delivery: Push, endpoint: %q, reliability: {retries: 1, retryInterval: 1h, persistDuration: 7h}}
- {interaction: GOOD, pattern: AsyncReliable, supplier: other, delivery: Push, endpoint: %q, reliability: {retries: 1, retryInterval: 1h, persistDuration: 7h}}
- {interaction: FAST, pattern: ForwardExpress, supplier: acme, delivery: Push, endpoint: %q}
- {interaction: ASK, pattern: Sync, supplier: other, endpoint: %q, timeout: 2m}
- {interaction: HURRY, pattern: Sync, supplier: other, endpoint: %q, timeout: 1s}
`

// pushed is pushConfig with one endpoint for all routes.
func pushed(traffic, url string) string {
	return fmt.Sprintf(pushConfig, traffic, url, url, url, url, url, url)
}

func submitAll(t *testing.T, g *Gateway, interaction string, requests ...string) []message.Result {
	t.Helper()
	batch := make([]*message.Submission, len(requests))
	for i, r := range requests {
		batch[i] = aMessage("EXT1", interaction, r)
	}
	return submit(t, g, batch)
}

func deadOf(t *testing.T, g *Gateway, supplier string) int64 {
	t.Helper()
	counts, err := g.ledger.DeadCounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return counts[supplier]
}

func TestOneSuppliersPoisonStopsNobodyElse(t *testing.T) {
	s := newSite(t)
	s.endpoint = insecure()
	poison := true
	e := newEndpoint(t, func(request string) int {
		switch {
		case strings.HasPrefix(request, "poison") && poison:
			return http.StatusUnprocessableEntity
		case strings.HasPrefix(request, "fail"), strings.HasPrefix(request, "express"):
			return http.StatusInternalServerError
		}
		return http.StatusAccepted
	})
	s.configure(pushed("Open", e.URL))
	g := s.start()
	submitAll(t, g.Gateway, "BAD", append(numbered("poison", 30), "fail")...)
	submitAll(t, g.Gateway, "GOOD", numbered("good", 100)...)
	submitAll(t, g.Gateway, "FAST", "express")
	eventually(t, "the other supplier has all of its messages", func() bool { return e.count("good") == 100 })
	eventually(t, "the poison is out of the way", func() bool { return deadOf(t, g.Gateway, "acme") == 30 })

	// What failed waits for its retry, and is dead-lettered after it.
	eventually(t, "one attempt", func() bool { return e.count("fail") == 1 })
	s.step(61 * time.Minute)
	eventually(t, "the retry", func() bool { return e.count("fail") == 2 })
	eventually(t, "dead-lettered", func() bool { return deadOf(t, g.Gateway, "acme") == 31 })

	// The express message is not retried; its sender has a report.
	got, err := g.Receive(t.Context(), "INT2", 10, soon)
	if err != nil || len(got) != 1 || got[0].Report == nil || got[0].Report.To != "EXT1" || e.count("express") != 1 {
		t.Errorf("report: %+v, %v; %d attempts", got, err, e.count("express"))
	}

	// After the supplier is mended, an operator replays.
	poison = false
	letters, err := g.DeadLetters(t.Context(), "acme", "", 100)
	if err != nil || len(letters) != 31 || letters[0].Reason != "the endpoint answered 422" {
		t.Fatalf("%d dead letters, %+v, %v", len(letters), letters, err)
	}
	if n, err := g.Revive(t.Context(), "acme", []string{letters[0].ID, letters[1].ID}); n != 2 || err != nil {
		t.Errorf("replayed %d, %v", n, err)
	}
	eventually(t, "both are delivered", func() bool { return e.count("poison") == 32 })
	eventually(t, "both are settled", func() bool {
		track, err := g.Track(t.Context(), "INT2", message.TrackQuery{ID: letters[0].ID})
		return err == nil && track.State == message.StateAcknowledged
	})
}

func TestThrottleAndKillSwitch(t *testing.T) {
	s := newSite(t)
	s.endpoint = insecure()
	// The operator stops the supplier as soon as the first of the second lot has come.
	stop := make(chan func(), 1)
	e := newEndpoint(t, func(request string) int {
		if strings.HasPrefix(request, "more") {
			select {
			case now := <-stop:
				now()
			default:
			}
		}
		return http.StatusOK
	})
	s.configure(pushed("Open", e.URL))
	g := s.start()
	start := time.Now()
	submitAll(t, g.Gateway, "SLOW", numbered("slow", 30)...)
	eventually(t, "all delivered", func() bool { return e.count("slow") == 30 })
	e.mu.Lock()
	took := e.times[29].Sub(start)
	e.mu.Unlock()
	// A second's worth at once, the rest at 10 a second.
	if took < 1500*time.Millisecond {
		t.Errorf("30 messages at 10 a second took %s", took)
	}
	stopped, err := api.DecodeGatewayConfig([]byte(pushed("Stopped", e.URL)))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	stop <- func() { s.routes.Set(stopped); close(done) }
	submitAll(t, g.Gateway, "SLOW", numbered("more", 30)...)
	select {
	case <-done:
	case <-time.After(soon):
		t.Fatal("none of the second lot came")
	}
	var refusal *message.StoppedError
	if r := submitAll(t, g.Gateway, "SLOW", "x")[0]; !errors.As(r.Err, &refusal) || refusal.Supplier != "slow" {
		t.Errorf("to a stopped supplier: %v", r.Err)
	}
	if r := submitAll(t, g.Gateway, "GOOD", "y")[0]; r.Err != nil {
		t.Errorf("to another: %v", r.Err)
	}
	eventually(t, "the other's is delivered", func() bool { return e.count("y") == 1 })
	held := e.count("more")
	if held == 30 {
		t.Error("all was delivered in spite of the stop")
	}
	s.configure(pushed("Open", e.URL))
	eventually(t, "the rest follows", func() bool { return e.count("more") == 30 && unsettled(t, g.Gateway) == 0 })
}

func TestCallPassesThroughAndOldEndpointsOutliveAChange(t *testing.T) {
	s := newSite(t)
	s.endpoint = insecure()
	release := make(chan struct{})
	e := newEndpoint(t, func(request string) int {
		if request == "late" {
			<-release
		}
		return http.StatusTeapot
	})
	s.configure(pushed("Open", e.URL))
	g := s.start()
	reply, err := g.Call(t.Context(), aMessage("EXT1", "ASK", "q"))
	if err != nil || reply.Status != http.StatusTeapot || string(reply.Body) != "answer" {
		t.Errorf("%+v, %v", reply, err)
	}
	if _, err := g.Call(t.Context(), aMessage("EXT1", "HURRY", "late")); !errors.Is(err, message.ErrTimeout) {
		t.Errorf("late: %v", err)
	}
	close(release)
	if n := unsettled(t, g.Gateway); n != 0 {
		t.Errorf("%d stored", n)
	}
	// The new endpoint is not there yet: the old one stays good for 15 minutes.
	s.configure(pushed("Open", "https://127.0.0.1:9"))
	if _, err := g.Call(t.Context(), aMessage("EXT1", "ASK", "q2")); err != nil {
		t.Errorf("just after the change: %v", err)
	}
	s.step(16 * time.Minute)
	if _, err := g.Call(t.Context(), aMessage("EXT1", "ASK", "q3")); !errors.Is(err, message.ErrEndpoint) {
		t.Errorf("16 minutes after the change: %v", err)
	}
}
