// SPDX-License-Identifier: Apache-2.0

package core

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

type metrics struct {
	accepted  *prometheus.CounterVec
	delivered prometheus.Counter
	replayed  prometheus.Counter
	poison    prometheus.Counter
	dead      *prometheus.CounterVec
	pushes    *prometheus.HistogramVec

	acknowledged, duplicate, conflict, refused, failed prometheus.Counter
}

func newMetrics(g *Gateway, r prometheus.Registerer) *metrics {
	m := &metrics{
		accepted:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "spine_gateway_messages_total", Help: "Messages by outcome of their submission."}, []string{"outcome"}),
		delivered: prometheus.NewCounter(prometheus.CounterOpts{Name: "spine_gateway_leased_total", Help: "Messages handed to receivers and pushers."}),
		replayed:  prometheus.NewCounter(prometheus.CounterOpts{Name: "spine_gateway_replayed_total", Help: "References published again from the ledger."}),
		poison:    prometheus.NewCounter(prometheus.CounterOpts{Name: "spine_gateway_poison_total", Help: "Messages never settled in the deliveries allowed."}),
		dead:      prometheus.NewCounterVec(prometheus.CounterOpts{Name: "spine_gateway_dead_lettered_total", Help: "Messages dead-lettered, by supplier."}, []string{"supplier"}),
		pushes: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "spine_gateway_push_seconds", Help: "Time of deliveries to endpoints.", Buckets: prometheus.ExponentialBuckets(0.005, 3, 9),
		}, []string{"supplier", "outcome"}),
	}
	m.acknowledged, m.duplicate = m.accepted.WithLabelValues("acknowledged"), m.accepted.WithLabelValues("duplicate")
	m.conflict, m.refused, m.failed = m.accepted.WithLabelValues("conflict"), m.accepted.WithLabelValues("refused"), m.accepted.WithLabelValues("failed")
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "spine_gateway_" + name, Help: help}, value)
	}
	r.MustRegister(m.accepted, m.delivered, m.replayed, m.poison, m.dead, m.pushes,
		gauge("in_flight_bytes", "Bytes of bodies that wait for their commit.", func() float64 { return float64(g.ledger.InFlight()) }),
		gauge("pending_references", "References that wait for the broker.", func() float64 { return float64(g.publisher.Pending()) }),
		gauge("broker_connected", "1 when the broker is connected.", func() float64 { return truth(g.publisher.Connected()) }),
		gauge("database_connected", "1 when the last use of the database got through.", func() float64 { return truth(g.ledger.Connected()) }),
	)
	return m
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (m *metrics) submitted(results []message.Result) {
	var acknowledged, duplicate float64
	for i := range results {
		switch r := &results[i]; {
		case r.Err == nil && r.Duplicate:
			duplicate++
		case r.Err == nil:
			acknowledged++
		case errors.Is(r.Err, message.ErrConflict):
			m.conflict.Inc()
		case errors.Is(r.Err, message.ErrUnavailable):
			m.failed.Inc()
		default:
			m.refused.Inc()
		}
	}
	m.acknowledged.Add(acknowledged)
	m.duplicate.Add(duplicate)
}

func (m *metrics) pushed(supplier string, ok bool, took time.Duration) {
	outcome := "delivered"
	if !ok {
		outcome = "failed"
	}
	m.pushes.WithLabelValues(supplier, outcome).Observe(took.Seconds())
}
