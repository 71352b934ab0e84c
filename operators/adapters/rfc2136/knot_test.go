// SPDX-License-Identifier: Apache-2.0

//go:build engines

package rfc2136

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"spine.nhs.uk/controlplane/operators/operatortest/conformance"
	"spine.nhs.uk/controlplane/operators/operatortest/engines"
	"spine.nhs.uk/controlplane/operators/ports"
)

const zone = "spine.example."

func config(s *engines.NameServer) Config {
	return Config{Server: s.URL, Zone: zone, Key: Key{Name: s.Key, Algorithm: "hmac-sha256", Secret: s.Secret}}
}

func witness(t *testing.T, s *engines.NameServer) *Witness {
	return NewWitness(conformance.Mount(t, WitnessConfig{Config: config(s), Vote: "vote." + zone}, nil))
}

func traffic(t *testing.T, s *engines.NameServer) *Traffic {
	return NewTraffic(conformance.Mount(t, TrafficConfig{
		Config: config(s), Names: []string{"messages." + zone, "booking." + zone},
		Sites: map[string]string{"a": "192.0.2.10", "b": "192.0.2.20"}, TTLSeconds: 5,
	}, nil))
}

func TestWitnessIsARegister(t *testing.T) {
	server := engines.Knot(t, zone)
	w := witness(t, server)
	last := conformance.Witness(t, w)
	// What the witness has confirmed outlives the loss of its power.
	server.Kill()
	conformance.Silent(t, w)
	conformance.Lost(t, traffic(t, server))
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	conformance.Recorded(t, w, last)
}

// Of many that try at once from the same vote, one wins, in each of many rounds.
func TestWitnessHasOneWinner(t *testing.T) {
	server := engines.Knot(t, zone)
	conformance.OneWinner(t, 20, 8, func() ports.Witness { return witness(t, server) })
}

func TestWitnessBelievesNobodyElse(t *testing.T) {
	server := engines.Knot(t, zone)
	other := *server
	other.Secret = secret
	var bad *ports.WitnessError
	if err := witness(t, &other).Swap(t.Context(), ports.Vote{}, conformance.Vote); !errors.As(err, &bad) || !strings.Contains(err.Error(), "does not accept key") {
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
	conformance.Traffic(t, conformance.Director{
		Another: func() ports.TrafficDirector { return traffic(t, server) },
		Stay:    5 * time.Second,
		ByHand: func(t *testing.T) {
			if err := config(server).update(t.Context(), func(m *dns.Msg) {
				rr, _ := dns.NewRR("booking." + zone + " 60 A 192.0.2.20")
				m.RemoveRRset([]dns.RR{rr})
				m.Insert([]dns.RR{rr})
			}); err != nil {
				t.Fatal(err)
			}
		},
		TornStay: time.Minute,
	})
}
