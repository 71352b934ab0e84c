// SPDX-License-Identifier: Apache-2.0

//go:build engines

package core

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// BenchmarkWholePath submits 2 KiB messages in batches, and receives and settles all of them.
func BenchmarkWholePath(b *testing.B) {
	s := newSite(b)
	g := s.start()
	for _, id := range []string{"INT3", "INT4"} {
		s.parties[id] = message.Party{Mailbox: id, Supplier: "acme", Internal: true}
	}
	receivers := []string{"INT1", "INT2", "INT3", "INT4"}
	body := make([]byte, 2048)
	const batch = 100
	b.ReportAllocs()
	b.ResetTimer()
	start := time.Now()
	var submitted, settled atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				first := submitted.Add(batch) - batch
				if first >= int64(b.N) {
					return
				}
				messages := make([]*message.Submission, 0, batch)
				for i := range batch {
					n := first + int64(i)
					m := &message.Submission{Sender: "INT1", Recipient: receivers[n%4], Interaction: "PSIS", RequestID: fmt.Sprint(start.UnixNano(), n), Body: body}
					messages = append(messages, m)
				}
				for _, r := range g.SubmitBatch(context.Background(), messages) {
					if r.Err != nil {
						b.Error(r.Err)
					}
				}
			}
		})
	}
	total := (int64(b.N) + batch - 1) / batch * batch
	for _, mailbox := range receivers {
		wg.Go(func() {
			for settled.Load() < total {
				found, err := g.Receive(context.Background(), mailbox, 200, 200*time.Millisecond)
				if err != nil {
					b.Error(err)
				}
				leases := make([]string, len(found))
				for i := range found {
					leases[i] = found[i].Lease
				}
				g.Settle(context.Background(), mailbox, leases)
				settled.Add(int64(len(found)))
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "msg/s")
}
