// SPDX-License-Identifier: Apache-2.0

//go:build engines

package core

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	api "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
	"spine.nhs.uk/controlplane/operators/operatortest/engines"
	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/dispatch"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/ledger"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
	"spine.nhs.uk/controlplane/operators/workloads/messaging/routes"
)

// parties are the mailboxes of the tests: INT* are internal.
type parties map[string]message.Party

func (p parties) Party(id string) (message.Party, bool) { party, ok := p[id]; return party, ok }

func (p parties) Named(names []string) (found []message.Party) {
	for _, n := range names {
		if party, ok := p[n]; ok {
			found = append(found, party)
		}
	}
	return found
}

func someParties() parties {
	p := parties{}
	for _, id := range []string{"INT1", "INT2", "EXT1", "EXT2"} {
		p[id] = message.Party{Mailbox: id, Organisation: "X26", Supplier: "acme", Internal: strings.HasPrefix(id, "INT")}
	}
	return p
}

const config = `
service: test/spine
suppliers: [{name: acme}, {name: slow}, {name: other}]
routes:
- {interaction: PSIS, pattern: ForwardReliable, supplier: acme, reliability: {retries: 2, retryInterval: 1m, persistDuration: 5m}}
- {interaction: QUICK, pattern: ForwardExpress, supplier: acme}
`

// site is one database and one broker with gateways on them, and a clock that tests step.
type site struct {
	t        testing.TB
	db       *engines.Server
	broker   *engines.Server
	database string
	ahead    atomic.Int64
	parties  parties
	routes   *routes.Table
	endpoint http.RoundTripper
}

func newSite(t testing.TB) *site {
	t.Helper()
	p := servers(t)
	t.Cleanup(func() { p.free(t) })
	p.empty(t)
	s := &site{t: t, db: p.db, broker: p.broker, database: p.database(t), parties: someParties()}
	s.routes = routes.New(s.now)
	s.configure(config)
	return s
}

func (s *site) now() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }

func (s *site) step(d time.Duration) { s.ahead.Add(int64(d)) }

func (s *site) configure(text string) {
	s.t.Helper()
	c, err := api.DecodeGatewayConfig([]byte(text))
	if err != nil {
		s.t.Fatal(err)
	}
	s.routes.Set(c)
}

// replica is a gateway that may be killed: from then on it does nothing more.
type replica struct {
	*Gateway
	kill func()
}

// idle makes a replica that does not run: it accepts into the ledger, and no reference of it leaves.
func (s *site) idle() *Gateway {
	s.t.Helper()
	l := s.open()
	s.t.Cleanup(l.Close)
	return s.on(l)
}

func (s *site) open() *ledger.Ledger {
	s.t.Helper()
	l, err := ledger.Open(context.Background(), ledger.Config{Database: database.URL(s.database), Now: s.now})
	if err != nil {
		s.t.Fatal(err)
	}
	return l
}

func (s *site) on(l *ledger.Ledger) *Gateway {
	return New(Config{
		Ledger: l, Broker: dispatch.URL(s.broker.URL), Routes: s.routes, Directory: s.parties, Endpoints: s.endpoint,
		Now: s.now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Registry: prometheus.NewRegistry(),
	})
}

func (s *site) start() *replica {
	s.t.Helper()
	return s.run(s.idle())
}

func (s *site) run(g *Gateway) *replica {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { g.Run(ctx); close(done) }()
	kill := func() { stop(); <-done }
	s.t.Cleanup(kill)
	return &replica{g, kill}
}

func aMessage(to, interaction, request string) *message.Submission {
	return &message.Submission{
		Sender: "INT2", Recipient: to, Interaction: interaction, RequestID: request, Tracked: true, Body: []byte("body of " + request),
	}
}

func send(t *testing.T, g *Gateway, to string, requests ...string) (ids []string) {
	t.Helper()
	batch := make([]*message.Submission, len(requests))
	for i, r := range requests {
		batch[i] = aMessage(to, "PSIS", r)
	}
	for _, r := range submit(t, g, batch) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
		ids = append(ids, r.ID)
	}
	return ids
}

// submit repeats a batch for as long as the gateway has no room for it, as senders do.
func submit(t *testing.T, g *Gateway, batch []*message.Submission) []message.Result {
	t.Helper()
	for {
		results := g.SubmitBatch(t.Context(), batch)
		var overloaded *message.OverloadedError
		if !errors.As(results[0].Err, &overloaded) {
			return results
		}
		pause(t.Context(), overloaded.RetryAfter)
	}
}

func numbered(prefix string, n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("%s%04d", prefix, i))
	}
	return names
}

// soon is how long anything may take on a machine that is busy with other things.
const soon = 2 * time.Minute

// collect receives and settles until n different messages came, and returns their IDs; a message that comes after its
// settlement fails the test.
func collect(t *testing.T, g *Gateway, mailbox string, n int) []string {
	t.Helper()
	seen := map[string]bool{}
	for end := time.Now().Add(soon); len(seen) < n && time.Now().Before(end); {
		found, err := g.Receive(t.Context(), mailbox, 100, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		var leases []string
		for _, d := range found {
			if seen[d.ID] {
				t.Errorf("%s came again after it was settled", d.ID)
			}
			if want := "body of " + d.RequestID; string(d.Body) != want {
				t.Errorf("%s has body %q, want %q", d.ID, d.Body, want)
			}
			seen[d.ID] = true
			leases = append(leases, d.Lease)
		}
		for _, err := range g.Settle(t.Context(), mailbox, leases) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(seen) != n {
		t.Fatalf("%d messages came within %s, want %d", len(seen), soon, n)
	}
	ids := make([]string, 0, n)
	for id := range seen {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(soon); ; time.Sleep(20 * time.Millisecond) {
		if is() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", soon, what)
		}
	}
}

func unsettled(t *testing.T, g *Gateway) int64 {
	t.Helper()
	b, err := g.ledger.Backlog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return b.Unsettled
}
