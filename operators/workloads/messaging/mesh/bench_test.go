// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/mesh/auth"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// instant accepts everything and keeps nothing, so that a benchmark sees the front alone.
type instant struct{ message.Service }

func (instant) Submit(context.Context, *message.Submission) (message.Receipt, error) {
	return message.Receipt{ID: "20261121061500123456_00002A"}, nil
}

// nowhere is a ResponseWriter without the cost of a recorder.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n nowhere) WriteHeader(status int) {
	if status != http.StatusAccepted {
		panic(http.StatusText(status))
	}
}

func BenchmarkSend(b *testing.B) {
	f := newFront(b)
	f.handler.(*Handler).service = instant{}
	payload := strings.Repeat("x", 2048)
	r, err := http.NewRequest("POST", "/messageexchange/ALICE/outbox", nil)
	if err != nil {
		b.Fatal(err)
	}
	for _, o := range []option{f.as("ALICE"), with("Mex-To", "BOB"), with("Mex-WorkflowID", "API-DOCS-TEST"), with("Mex-LocalID", "1"),
		with("Content-Type", "application/octet-stream"), with("Accept", mediaV2)} {
		o(r)
	}
	count := f.count
	b.ReportAllocs()
	for b.Loop() {
		count++
		r.Header["Authorization"][0] = auth.Token("ALICE", passwords["ALICE"], sharedKey, "n", count, f.now)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader([]byte(payload))), int64(len(payload))
		f.handler.ServeHTTP(nowhere{http.Header{}}, r)
	}
}
