// SPDX-License-Identifier: Apache-2.0

// Package ops serves what the platform asks of a workload: /livez and /readyz for the kubelet, and, for the manager
// alone, known by its certificate, /metrics, /statusz, /deepz (the deep probe) and POST /drain.
package ops

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Manager is the common name of the manager's certificate (operators/manifests/deployment.yaml). Nobody else is let in:
// brokers and services hold client certificates of the same authority, and none of them has to drain a workload.
const Manager = "spine-manager"

// Stage is one step of the deep probe.
type Stage struct {
	Name         string  `json:"name"`
	OK           bool    `json:"ok"`
	Milliseconds float64 `json:"milliseconds"`
	// Error says what failed; empty when OK.
	Error string `json:"error,omitempty"`
}

// Deep is the outcome of a deep probe; stages after the first that failed are left out.
type Deep struct {
	OK     bool    `json:"ok"`
	Stages []Stage `json:"stages"`
}

// Run appends the stage that do performs, unless one before it failed.
func (d *Deep) Run(name string, do func() error) {
	if n := len(d.Stages); n > 0 && !d.Stages[n-1].OK {
		return
	}
	start := time.Now()
	err := do()
	stage := Stage{Name: name, OK: err == nil, Milliseconds: float64(time.Since(start).Microseconds()) / 1000}
	if err != nil {
		stage.Error = err.Error()
	}
	d.Stages = append(d.Stages, stage)
	d.OK = err == nil
}

// Config is what a workload answers with. Every function may be called by several requests at once.
type Config struct {
	// Ready is nil when requests may come; its error is shown to the kubelet's log.
	Ready func() error
	// Deep sends one probe through the whole path, within the context's time (20 s).
	Deep func(context.Context) Deep
	// Status is encoded as JSON.
	Status func(context.Context) (any, error)
	// Metrics is what /metrics shows.
	Metrics prometheus.Gatherer
	// More handles further paths, by pattern of http.ServeMux; they are the manager's too.
	More map[string]http.Handler
}

// Server answers for a workload until, and while, it drains.
type Server struct {
	mux      *http.ServeMux
	draining atomic.Bool
	drain    chan struct{}
}

// New makes the server; it is an http.Handler for a TLS listener that verifies client certificates, if given, by the
// platform's authority.
func New(config Config) *Server {
	s := &Server{mux: http.NewServeMux(), drain: make(chan struct{})}
	s.mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, "ok") })
	s.mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if s.Draining() {
			write(w, http.StatusServiceUnavailable, "draining")
		} else if err := config.Ready(); err != nil {
			write(w, http.StatusServiceUnavailable, err.Error())
		} else {
			write(w, http.StatusOK, "ok")
		}
	})
	s.guard("GET /metrics", promhttp.HandlerFor(config.Metrics, promhttp.HandlerOpts{}))
	deep := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 20*time.Second)
		defer cancel()
		result := config.Deep(ctx)
		status := http.StatusOK
		if !result.OK {
			status = http.StatusServiceUnavailable
		}
		WriteJSON(w, status, result)
	})
	s.guard("GET /deepz", deep)
	s.guard("POST /deepz", deep)
	s.guard("GET /statusz", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, err := config.Status(r.Context())
		if err != nil {
			WriteJSON(w, http.StatusServiceUnavailable, map[string]string{"error": err.Error()})
			return
		}
		WriteJSON(w, http.StatusOK, status)
	}))
	s.guard("POST /drain", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.Drain()
		WriteJSON(w, http.StatusAccepted, map[string]bool{"draining": true})
	}))
	for pattern, handler := range config.More {
		s.guard(pattern, handler)
	}
	return s
}

// Drain makes readyz fail from now on. The listener of Drained does the rest.
func (s *Server) Drain() {
	if s.draining.CompareAndSwap(false, true) {
		close(s.drain)
	}
}

// Draining says whether Drain was called.
func (s *Server) Draining() bool { return s.draining.Load() }

// Drained is closed by Drain.
func (s *Server) Drained() <-chan struct{} { return s.drain }

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// guard lets in only who showed the manager's certificate, verified by the listener.
func (s *Server) guard(pattern string, next http.Handler) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if !isManager(r.TLS) {
			WriteJSON(w, http.StatusForbidden, map[string]string{
				"error": "this path needs the client certificate of " + Manager + ", of the platform's authority",
			})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isManager looks only at the certificate that was verified, never at one that was merely sent.
func isManager(state *tls.ConnectionState) bool {
	return state != nil && len(state.VerifiedChains) > 0 && len(state.VerifiedChains[0]) > 0 &&
		state.VerifiedChains[0][0].Subject.CommonName == Manager
}

func write(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}

// WriteJSON answers with a JSON body.
func WriteJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
