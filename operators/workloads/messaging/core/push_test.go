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
- {interaction: ASK, pattern: Sync, supplier: other, endpoint: %q, timeout: 1s}
`

func submitAll(t *testing.T, g *Gateway, interaction string, requests ...string) []message.Result {
	t.Helper()
	batch := make([]*message.Submission, len(requests))
	for i, r := range requests {
		batch[i] = aMessage("EXT1", interaction, r)
	}
	return g.SubmitBatch(t.Context(), batch)
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
	s.configure(fmt.Sprintf(pushConfig, "Open", e.URL, e.URL, e.URL, e.URL, e.URL))
	g := s.start()
	submitAll(t, g.Gateway, "BAD", append(numbered("poison", 30), "fail")...)
	submitAll(t, g.Gateway, "GOOD", numbered("good", 100)...)
	submitAll(t, g.Gateway, "FAST", "express")
	eventually(t, "the other supplier has all of its messages", 20*time.Second, func() bool { return e.count("good") == 100 })
	eventually(t, "the poison is out of the way", 20*time.Second, func() bool { return deadOf(t, g.Gateway, "acme") == 30 })

	// What failed waits for its retry, and is dead-lettered after it.
	eventually(t, "one attempt", 10*time.Second, func() bool { return e.count("fail") == 1 })
	s.step(61 * time.Minute)
	eventually(t, "the retry", 20*time.Second, func() bool { return e.count("fail") == 2 })
	eventually(t, "dead-lettered", 10*time.Second, func() bool { return deadOf(t, g.Gateway, "acme") == 31 })

	// The express message is not retried; its sender has a report.
	got, err := g.Receive(t.Context(), "INT2", 10, 10*time.Second)
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
	eventually(t, "both are delivered", 20*time.Second, func() bool { return e.count("poison") == 32 })
	eventually(t, "both are settled", 10*time.Second, func() bool {
		track, err := g.Track(t.Context(), "INT2", message.TrackQuery{ID: letters[0].ID})
		return err == nil && track.State == message.StateAcknowledged
	})
}

func TestThrottleAndKillSwitch(t *testing.T) {
	s := newSite(t)
	s.endpoint = insecure()
	e := newEndpoint(t, func(string) int { return http.StatusOK })
	with := func(traffic string) string {
		return fmt.Sprintf(pushConfig, traffic, e.URL, e.URL, e.URL, e.URL, e.URL)
	}
	s.configure(with("Open"))
	g := s.start()
	submitAll(t, g.Gateway, "SLOW", numbered("slow", 30)...)
	eventually(t, "all delivered", 30*time.Second, func() bool { return e.count("slow") == 30 })
	e.mu.Lock()
	took := e.times[29].Sub(e.times[0])
	e.mu.Unlock()
	// A second's worth at once, the rest at 10 a second.
	if took < 1500*time.Millisecond {
		t.Errorf("30 messages at 10 a second took %s", took)
	}
	submitAll(t, g.Gateway, "SLOW", numbered("more", 30)...)
	eventually(t, "some delivered", 10*time.Second, func() bool { return e.count("more") > 0 })
	s.configure(with("Stopped"))
	var stopped *message.StoppedError
	if r := submitAll(t, g.Gateway, "SLOW", "x")[0]; !errors.As(r.Err, &stopped) || stopped.Supplier != "slow" {
		t.Errorf("to a stopped supplier: %v", r.Err)
	}
	if r := submitAll(t, g.Gateway, "GOOD", "y")[0]; r.Err != nil {
		t.Errorf("to another: %v", r.Err)
	}
	eventually(t, "the other's is delivered", 10*time.Second, func() bool { return e.count("y") == 1 })
	held := e.count("more")
	if held == 30 {
		t.Error("all was delivered in spite of the stop")
	}
	s.configure(with("Open"))
	eventually(t, "the rest follows", 30*time.Second, func() bool { return e.count("more") == 30 && unsettled(t, g.Gateway) == 0 })
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
	with := func(url string) string { return fmt.Sprintf(pushConfig, "Open", url, url, url, url, url) }
	s.configure(with(e.URL))
	g := s.start()
	reply, err := g.Call(t.Context(), aMessage("EXT1", "ASK", "q"))
	if err != nil || reply.Status != http.StatusTeapot || string(reply.Body) != "answer" {
		t.Errorf("%+v, %v", reply, err)
	}
	if _, err := g.Call(t.Context(), aMessage("EXT1", "ASK", "late")); !errors.Is(err, message.ErrTimeout) {
		t.Errorf("late: %v", err)
	}
	close(release)
	if n := unsettled(t, g.Gateway); n != 0 {
		t.Errorf("%d stored", n)
	}
	// The new endpoint is not there yet: the old one stays good for 15 minutes.
	s.configure(with("https://127.0.0.1:9"))
	if _, err := g.Call(t.Context(), aMessage("EXT1", "ASK", "q2")); err != nil {
		t.Errorf("just after the change: %v", err)
	}
	s.step(16 * time.Minute)
	if _, err := g.Call(t.Context(), aMessage("EXT1", "ASK", "q3")); !errors.Is(err, message.ErrEndpoint) {
		t.Errorf("16 minutes after the change: %v", err)
	}
}
