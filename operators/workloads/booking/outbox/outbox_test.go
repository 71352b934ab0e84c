// SPDX-License-Identifier: Apache-2.0

package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/store"
)

// fakeStore hands its entries out once.
type fakeStore struct {
	mu               sync.Mutex
	events, releases []store.Entry
	done             []int64
	postponed        map[int64]time.Duration
}

func (f *fakeStore) Events(_ context.Context, _ time.Duration, limit int) ([]store.Entry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := min(limit, len(f.events))
	taken := f.events[:n]
	f.events = f.events[n:]
	return taken, nil
}

func (f *fakeStore) Releases(context.Context, time.Duration, int) ([]store.Entry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	taken := f.releases
	f.releases = nil
	return taken, nil
}

func (f *fakeStore) Done(_ context.Context, ids []int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done = append(f.done, ids...)
	return nil
}

func (f *fakeStore) Postpone(_ context.Context, ids []int64, after time.Duration) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range ids {
		f.postponed[id] = after
	}
	return nil
}

type senderFunc func([]store.Entry) ([]Verdict, error)

func (s senderFunc) Send(_ context.Context, e []store.Entry) ([]Verdict, error) { return s(e) }

type releaserFunc func(store.Release) error

func (r releaserFunc) Release(_ context.Context, x store.Release) error { return r(x) }

func entries(n int) []store.Entry {
	list := make([]store.Entry, n)
	for i := range list {
		list[i] = store.Entry{ID: int64(i + 1), Request: fmt.Sprint("r", i+1), Body: []byte(`{}`), Attempts: 1}
	}
	return list
}

func box(s *fakeStore, send senderFunc, release releaserFunc) *Outbox {
	s.postponed = map[int64]time.Duration{}
	return &Outbox{Store: s, Sender: send, Releaser: release, Log: slog.New(slog.DiscardHandler),
		Settings: func() Settings { return Settings{Batch: 2, Most: 30 * time.Second} }}
}

func TestOnlyAcknowledgedEventsGo(t *testing.T) {
	s := &fakeStore{events: entries(4)}
	verdicts := map[string]Verdict{"r1": Acknowledged, "r2": Refused, "r3": Retry, "r4": Acknowledged}
	o := box(s, func(e []store.Entry) ([]Verdict, error) {
		var v []Verdict
		for _, one := range e {
			v = append(v, verdicts[one.Request])
		}
		return v, nil
	}, nil)
	for range 2 {
		if _, err := o.events(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(s.done, []int64{1, 4}) || s.postponed[2] != 30*time.Second || s.postponed[3] != time.Second {
		t.Errorf("done %v, postponed %v", s.done, s.postponed)
	}
}

func TestAFailedSendKeepsEverything(t *testing.T) {
	s := &fakeStore{events: entries(2)}
	o := box(s, func([]store.Entry) ([]Verdict, error) { return nil, errors.New("connection reset") }, nil)
	if n, err := o.events(t.Context()); n != 0 || err == nil {
		t.Errorf("%d, %v", n, err)
	}
	if len(s.done) != 0 || len(s.postponed) != 2 {
		t.Errorf("done %v, postponed %v", s.done, s.postponed)
	}
}

func TestReleasesAreRepeatedWithGrowingPauses(t *testing.T) {
	body, err := json.Marshal(store.Release{Service: 1, Endpoint: "https://pas.test", Request: "x"})
	if err != nil {
		t.Fatal(err)
	}
	s := &fakeStore{releases: []store.Entry{{ID: 1, Body: body, Attempts: 1}, {ID: 2, Body: body, Attempts: 3}, {ID: 3, Body: body, Attempts: 40}}}
	o := box(s, nil, func(store.Release) error { return errors.New("no answer") })
	if _, err := o.release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.postponed[1] != 2*time.Second || s.postponed[2] != 8*time.Second || s.postponed[3] != 10*time.Minute {
		t.Errorf("%v", s.postponed)
	}
	s.releases = []store.Entry{{ID: 4, Body: body, Attempts: 1}}
	o.Releaser = releaserFunc(func(r store.Release) error {
		if r.Endpoint != "https://pas.test" || r.Request != "x" {
			t.Errorf("%+v", r)
		}
		return nil
	})
	if _, err := o.release(t.Context()); err != nil || !slices.Equal(s.done, []int64{4}) {
		t.Errorf("%v, done %v", err, s.done)
	}
}

func TestTheGatewayIsSpokenToAsItIsDocumented(t *testing.T) {
	var got struct {
		Messages []bulkMessage `json:"messages"`
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/messages:batchSend" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %v", r.URL.Path, r.Header)
		}
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		_, _ = fmt.Fprint(w, `{"results":[{"requestId":"r1","status":"acknowledged","id":"x"},{"requestId":"r2","status":"duplicate"}]}`)
	}))
	defer server.Close()
	g := &Gateway{HTTP: server.Client(), URL: server.URL + "/", Address: func() Address { return Address{To: "ERSEVENTS", Workflow: "ERS_BOOKING_EVENT"} }}
	verdicts, err := g.Send(t.Context(), entries(2))
	if err != nil || !slices.Equal(verdicts, []Verdict{Acknowledged, Acknowledged}) {
		t.Fatalf("%v, %v", verdicts, err)
	}
	if m := got.Messages[0]; m.RequestID != "r1" || m.Recipient != "ERSEVENTS" || m.Interaction != "ERS_BOOKING_EVENT" || string(m.Body) != "{}" {
		t.Errorf("%+v", m)
	}
}

func TestAnswersThatDoNotFitAreNotBelieved(t *testing.T) {
	for _, answer := range []string{``, `{}`, `{"results":[]}`, `{"results":[{"requestId":"r2","status":"acknowledged"},{"requestId":"r1","status":"acknowledged"}]}`,
		`{"results":[{"requestId":"r1","status":"acknowledged"}]}`} {
		if v, err := ParseResults([]byte(answer), entries(2)); err == nil {
			t.Errorf("%s: %v", answer, v)
		}
	}
	v, err := ParseResults([]byte(`{"results":[{"requestId":"r1","status":"refused"},{"requestId":"r2","status":"something new"}]}`), entries(2))
	if err != nil || !slices.Equal(v, []Verdict{Refused, Retry}) {
		t.Errorf("%v, %v", v, err)
	}
}

func FuzzParseResults(f *testing.F) {
	f.Add([]byte(`{"results":[{"requestId":"r1","status":"acknowledged"},{"requestId":"r2","status":"retry"}]}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		if v, err := ParseResults(answer, entries(2)); err == nil && len(v) != 2 {
			t.Fatalf("%v", v)
		}
	})
}
