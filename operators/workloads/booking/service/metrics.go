// SPDX-License-Identifier: Apache-2.0

package service

import (
	"net/http"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics is what /metrics shows. No label holds anything about a patient.
type metrics struct {
	registry *prometheus.Registry
	took     *prometheus.HistogramVec
}

func newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "booking_request_seconds", Help: "Time to answer, by operation (published number, or page) and status.",
		Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60, 150},
	}, []string{"operation", "status"})}
	m.registry.MustRegister(m.took, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// observe records one answer.
func (m *metrics) observe(operation string, status int, took time.Duration) {
	m.took.WithLabelValues(operation, strconv.Itoa(status)).Observe(took.Seconds())
}

// pool shows the database connections.
func (m *metrics) pool(p *pgxpool.Pool) {
	gauge := func(name, help string, read func(*pgxpool.Stat) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return read(p.Stat()) }))
	}
	gauge("booking_database_connections", "Open connections.", func(s *pgxpool.Stat) float64 { return float64(s.TotalConns()) })
	gauge("booking_database_connections_in_use", "Connections at work.", func(s *pgxpool.Stat) float64 { return float64(s.AcquiredConns()) })
	gauge("booking_database_wait_seconds_total", "Time spent waiting for a connection.", func(s *pgxpool.Stat) float64 { return s.EmptyAcquireWaitTime().Seconds() })
}

// page measures the pages and bounds how many are worked on at once.
func (m *metrics) page(next http.Handler, atOnce int) http.Handler {
	slots := make(chan struct{}, atOnce)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		defer func() { m.observe("page", recorder.status, time.Since(started)) }()
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			next.ServeHTTP(recorder, r)
		default:
			recorder.Header().Set("Retry-After", "2")
			http.Error(recorder, "The service is very busy. Wait a few seconds and reload the page.", http.StatusServiceUnavailable)
		}
	})
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (s *statusRecorder) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (s *statusRecorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }
