// SPDX-License-Identifier: Apache-2.0

package messages

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/bulk/frame"
)

// gateway is a bulk interface that keeps everything in memory, and misbehaves when told to.
type gateway struct {
	*httptest.Server
	mu sync.Mutex
	// byRequest is the ID of every message by its request ID.
	byRequest map[string]string
	queues    map[string][]frame.Record
	leased    map[string]frame.Record
	seen      []frame.Record
	// fault is asked before each batch: status 0 means none; after says whether the batch is kept all the same.
	fault func(n int) (status int, keep bool)
	sends int
	// settleTwice hands out what was settled again.
	again bool
}

func newGateway(t *testing.T) *gateway {
	t.Helper()
	g := &gateway{byRequest: map[string]string{}, queues: map[string][]frame.Record{}, leased: map[string]frame.Record{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/messages:batchSend", g.send)
	mux.HandleFunc("POST /v1/mailboxes/{id}/messages:receive", g.receive)
	mux.HandleFunc("POST /v1/mailboxes/{id}/messages:settle", g.settle)
	g.Server = httptest.NewServer(mux)
	t.Cleanup(g.Close)
	return g
}

func (g *gateway) send(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sends++
	status, keep := 0, true
	if g.fault != nil {
		status, keep = g.fault(g.sends)
	}
	var answer []byte
	for reader := frame.NewReader(body); keep && reader.More(); {
		var m frame.Record
		if err := reader.Next(&m); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		result := frame.Record{RequestID: m.RequestID, Status: "duplicate", ID: g.byRequest[m.RequestID]}
		if result.ID == "" {
			result.Status, result.ID = "acknowledged", "id-"+strconv.Itoa(len(g.byRequest))
			g.byRequest[m.RequestID] = result.ID
			m.ID, m.Lease = result.ID, "lease-"+result.ID
			g.seen = append(g.seen, m)
			g.queues[m.Recipient] = append(g.queues[m.Recipient], m)
		}
		answer = result.Append(answer)
	}
	switch {
	case status == http.StatusGatewayTimeout:
		panic(http.ErrAbortHandler)
	case status != 0:
		w.Header().Set("Retry-After", "0")
		http.Error(w, "as told", status)
	default:
		_, _ = w.Write(answer)
	}
}

func (g *gateway) receive(w http.ResponseWriter, r *http.Request) {
	for range 20 {
		g.mu.Lock()
		id := r.PathValue("id")
		queue := g.queues[id]
		n := min(len(queue), 50)
		var answer []byte
		for _, m := range queue[:n] {
			g.leased[m.Lease] = m
			answer = m.Append(answer)
		}
		g.queues[id] = queue[n:]
		g.mu.Unlock()
		if n > 0 {
			_, _ = w.Write(answer)
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (g *gateway) settle(w http.ResponseWriter, r *http.Request) {
	var request struct{ Leases []string }
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	var results []string
	for _, lease := range request.Leases {
		m := g.leased[lease]
		if g.again {
			g.queues[m.Recipient] = append(g.queues[m.Recipient], m)
			m.Lease += "-again"
		}
		results = append(results, `{"status":"settled"}`)
	}
	g.again = false
	_, _ = io.WriteString(w, `{"results":[`+strings.Join(results, ",")+`]}`)
}

// lose drops the n-th message that waits.
func (g *gateway) lose(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for id, queue := range g.queues {
		if n < len(queue) {
			g.queues[id] = append(append([]frame.Record{}, queue[:n]...), queue[n+1:]...)
			return
		}
	}
}
