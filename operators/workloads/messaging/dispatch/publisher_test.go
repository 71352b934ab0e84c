// SPDX-License-Identifier: Apache-2.0

//go:build engines

package dispatch

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/operatortest/engines"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// heard collects what a consumer is given.
type heard struct {
	mu   sync.Mutex
	refs []message.Seq
}

func (h *heard) take(b *Batch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refs = append(h.refs, b.Refs...)
	b.Done()
}

func (h *heard) wait(t *testing.T, n int) []message.Seq {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		h.mu.Lock()
		refs := slices.Clone(h.refs)
		h.mu.Unlock()
		slices.Sort(refs)
		if refs = slices.Compact(refs); len(refs) >= n {
			return refs
		}
	}
	t.Fatalf("fewer than %d references came", n)
	return nil
}

func TestReferencesSurviveARestartAndAWipeIsTold(t *testing.T) {
	broker := engines.RabbitMQServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	missing := make(chan string, 100)
	queues := NewQueues()
	p := NewPublisher(URL(broker.URL), queues, quiet, func(lane string, _ []message.Seq) { missing <- lane })
	running.Go(func() { p.Run(ctx) })
	for n := range message.Seq(1000) {
		p.Add("A", n+1)
	}
	if err := p.Deliver(ctx, "A", 1001); err != nil {
		t.Fatal(err)
	}
	if got := <-missing; got != "A" {
		t.Errorf("missing %q", got)
	}
	if p.Oldest() != 0 || p.Pending() != 0 || p.Published() != 1001 {
		t.Errorf("oldest %d, %d pending, %d published", p.Oldest(), p.Pending(), p.Published())
	}
	broker.Stop()
	p.Add("A", 5000)
	if p.Oldest() != 5000 {
		t.Errorf("oldest %d while the broker is away", p.Oldest())
	}
	if err := broker.Start(ctx); err != nil {
		t.Fatal(err)
	}
	c := NewConsumers(URL(broker.URL), queues, quiet)
	running.Go(func() { c.Run(ctx) })
	var h heard
	running.Go(func() { c.Consume(ctx, "A", func() { missing <- "consumer" }, h.take, func() {}) })
	if refs := h.wait(t, 1002); refs[1001] != 5000 || len(refs) != 1002 {
		t.Errorf("%d references, last %d", len(refs), refs[len(refs)-1])
	}
	if len(missing) != 0 {
		t.Errorf("a queue that is there was reported missing")
	}
	broker.Stop()
	if err := broker.Wipe(ctx); err != nil {
		t.Fatal(err)
	}
	if err := broker.Start(ctx); err != nil {
		t.Fatal(err)
	}
	select {
	case <-missing:
	case <-time.After(30 * time.Second):
		t.Error("nobody was told that the queue was gone")
	}
}

func TestSuspectQueueIsMadeAnew(t *testing.T) {
	broker := engines.RabbitMQ(t)
	conn, err := dial(URL(broker), "test")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.hangUp()
	queues := NewQueues()
	for step, want := range []bool{true, false, true} {
		if step == 2 {
			queues.doubt("A")
		}
		if missing, _, err := queues.ensure(conn, "A"); missing != want || err != nil {
			t.Errorf("step %d: missing %t, %v", step, missing, err)
		}
	}
}

func TestForgetsRatherThanGrow(t *testing.T) {
	p := NewPublisher(nil, NewQueues(), quiet, nil)
	for n := range message.Seq(maxPending + 10) {
		p.Add("A", n+1)
	}
	if p.Pending() != maxPending || p.Behind() != maxPending+1 || p.Behind() != 0 {
		t.Errorf("%d pending", p.Pending())
	}
}
