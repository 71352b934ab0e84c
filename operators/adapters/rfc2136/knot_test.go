// SPDX-License-Identifier: Apache-2.0

//go:build engines

package rfc2136

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"spine.nhs.uk/controlplane/operators/operatortest/engines"
	"spine.nhs.uk/controlplane/operators/ports"
)

const zone = "spine.example."

// write makes a folder with the configuration, as a mounted Secret has it.
func write(t *testing.T, config any) string {
	t.Helper()
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, configFile), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func config(s *engines.NameServer) Config {
	return Config{Server: s.URL, Zone: zone, Key: Key{Name: s.Key, Algorithm: "hmac-sha256", Secret: s.Secret}}
}

func witness(t *testing.T, s *engines.NameServer) *Witness {
	return NewWitness(write(t, WitnessConfig{Config: config(s), Vote: "vote." + zone}))
}

func traffic(t *testing.T, s *engines.NameServer) *Traffic {
	return NewTraffic(write(t, TrafficConfig{
		Config: config(s), Names: []string{"messages." + zone, "booking." + zone},
		Sites: map[string]string{"a": "192.0.2.10", "b": "192.0.2.20"}, TTLSeconds: 5,
	}))
}

func TestWitnessIsARegister(t *testing.T) {
	server := engines.Knot(t, zone)
	w, ctx := witness(t, server), t.Context()
	read := func() ports.Vote {
		t.Helper()
		v, err := w.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := read(); v != (ports.Vote{}) {
		t.Fatalf("an empty register says %+v", v)
	}
	first := aVote
	if err := w.Swap(ctx, ports.Vote{}, first); err != nil {
		t.Fatal(err)
	}
	if err := w.Swap(ctx, ports.Vote{}, first); !errors.Is(err, ports.ErrVoteChanged) {
		t.Errorf("a second first vote: %v", err)
	}
	second := first
	second.Site, second.Epoch = "b", 8
	if err := w.Swap(ctx, first, second); err != nil {
		t.Fatal(err)
	}
	// Only the time differs: it is another vote all the same.
	late := first
	late.Until = late.Until.Add(time.Millisecond)
	for name, old := range map[string]ports.Vote{"the vote before": first, "a vote that never was": late} {
		if err := w.Swap(ctx, old, late); !errors.Is(err, ports.ErrVoteChanged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if v := read(); v != second {
		t.Errorf("got %+v, want %+v", v, second)
	}
	// What the witness has confirmed outlives the loss of its power.
	server.Kill()
	var silent *ports.WitnessError
	if _, err := w.Read(ctx); !errors.As(err, &silent) {
		t.Errorf("a witness that is down says %v", err)
	}
	if err := w.Swap(ctx, second, late); !errors.As(err, &silent) {
		t.Errorf("a witness that is down swaps: %v", err)
	}
	if err := server.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if v := read(); v != second {
		t.Errorf("after a power cut: %+v, want %+v", v, second)
	}
}

// Of many that try at once from the same vote, one wins, in each of many rounds.
func TestWitnessHasOneWinner(t *testing.T) {
	server := engines.Knot(t, zone)
	const rounds, sites = 20, 8
	old := ports.Vote{}
	for round := range rounds {
		var wins sync.Map
		var group sync.WaitGroup
		for i := range sites {
			next := aVote
			next.Site, next.Epoch = string(rune('a'+i)), int64(round+1)
			w := witness(t, server)
			group.Go(func() {
				switch err := w.Swap(t.Context(), old, next); {
				case err == nil:
					wins.Store(next, true)
				case !errors.Is(err, ports.ErrVoteChanged):
					t.Error(err)
				}
			})
		}
		group.Wait()
		v, err := witness(t, server).Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		wins.Range(func(k, _ any) bool { n++; return k == v })
		if n != 1 {
			t.Fatalf("round %d: %d winners, %+v on record", round, n, v)
		}
		old = v
	}
}

func TestWitnessBelievesNobodyElse(t *testing.T) {
	server := engines.Knot(t, zone)
	other := *server
	other.Secret = secret
	var bad *ports.WitnessError
	if err := witness(t, &other).Swap(t.Context(), ports.Vote{}, aVote); !errors.As(err, &bad) || !strings.Contains(err.Error(), "does not accept key") {
		t.Errorf("a wrong secret: %v", err)
	}
	if _, err := witness(t, &other).Read(t.Context()); !errors.As(err, &bad) {
		t.Errorf("a wrong secret reads: %v", err)
	}
	if v, err := witness(t, server).Read(t.Context()); err != nil || v != (ports.Vote{}) {
		t.Errorf("it was changed: %+v, %v", v, err)
	}
	for _, records := range [][]string{{"hello"}, {"v=1 site=a", "v=1 site=b"}} {
		c := config(server)
		if err := c.update(t.Context(), func(m *dns.Msg) {
			m.RemoveRRset([]dns.RR{text("vote."+zone, "")})
			for _, r := range records {
				m.Insert([]dns.RR{text("vote."+zone, r)})
			}
		}); err != nil {
			t.Fatal(err)
		}
		if v, err := witness(t, server).Read(t.Context()); !errors.As(err, &bad) {
			t.Errorf("%q is taken for the vote %+v", records, v)
		}
	}
}

// An answer that nobody signed is no answer, whatever it says.
func TestUnsignedAnswersAreNotBelieved(t *testing.T) {
	listening := make(chan string, 1)
	forger := &dns.Server{Addr: "127.0.0.1:0", Net: "tcp", Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		a := new(dns.Msg).SetReply(q)
		a.Authoritative = true
		_ = w.WriteMsg(a)
	})}
	forger.NotifyStartedFunc = func() { listening <- forger.Listener.Addr().String() }
	go func() { _ = forger.ListenAndServe() }()
	t.Cleanup(func() { _ = forger.ShutdownContext(context.WithoutCancel(t.Context())) })
	c := Config{Server: <-listening, Zone: zone, Key: Key{Name: "site.", Algorithm: "hmac-sha256", Secret: secret}}
	if _, err := c.read(t.Context(), "vote."+zone, dns.TypeTXT); err == nil || !strings.Contains(err.Error(), "without the signature") {
		t.Errorf("read: %v", err)
	}
	if err := c.update(t.Context(), func(*dns.Msg) {}); err == nil || !strings.Contains(err.Error(), "without the signature") {
		t.Errorf("update: %v", err)
	}
}

func TestTraffic(t *testing.T) {
	server := engines.Knot(t, zone)
	d, ctx := traffic(t, server), t.Context()
	look := func(want ports.Direction) {
		t.Helper()
		if got, err := d.Read(ctx); err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	look(ports.Direction{})
	for _, step := range []struct {
		site  string
		epoch int64
	}{{"a", 1}, {"a", 1}, {"b", 2}, {"b", 2}, {"a", 5}} {
		if err := d.Send(ctx, step.site, step.epoch); err != nil {
			t.Fatal(err)
		}
		look(ports.Direction{Site: step.site, Stay: 5 * time.Second})
	}
	var refused *ports.TrafficError
	if err := d.Send(ctx, "b", 4); !errors.As(err, &refused) || !strings.Contains(err.Error(), "epoch 4 is over") {
		t.Errorf("an old epoch: %v", err)
	}
	if err := d.Send(ctx, "c", 9); !errors.As(err, &refused) || !strings.Contains(err.Error(), `site "c" is none of [a b]`) {
		t.Errorf("an unknown site: %v", err)
	}
	look(ports.Direction{Site: "a", Stay: 5 * time.Second})
	// One of the names was sent elsewhere by hand.
	if err := config(server).update(ctx, func(m *dns.Msg) {
		rr, _ := dns.NewRR("booking." + zone + " 60 A 192.0.2.20")
		m.RemoveRRset([]dns.RR{rr})
		m.Insert([]dns.RR{rr})
	}); err != nil {
		t.Fatal(err)
	}
	look(ports.Direction{Stay: time.Minute})
}
