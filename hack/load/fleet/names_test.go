// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A client follows a name to another address as soon as it needs a new connection.
func TestNamesAreAskedAnew(t *testing.T) {
	// The second site's gateway has the port of the first one, at another address of the loopback network.
	first := answering(t, "127.0.0.1:0", http.StatusOK)
	_, port, _ := net.SplitHostPort(first.Listener.Addr().String())
	answering(t, "127.0.0.2:"+port, http.StatusTeapot)
	var address atomic.Value
	address.Store(netip.MustParseAddr("127.0.0.1"))
	server := nameServer(t, &address)

	client := Client(nil, 4, 5*time.Second, Names(server))
	at := url.URL{Scheme: "http", Host: net.JoinHostPort("messages.pair.test", port)}
	status := func() int {
		answer, err := client.Get(at.String())
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	if got := status(); got != http.StatusOK {
		t.Fatalf("the first site's answer: %d", got)
	}
	address.Store(netip.MustParseAddr("127.0.0.2"))
	first.CloseClientConnections()
	if got := status(); got != http.StatusTeapot {
		t.Errorf("the second site's answer: %d", got)
	}
}

// answering is a server at an address that always answers so.
func answering(t *testing.T, address string, status int) *httptest.Server {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	_ = s.Listener.Close()
	s.Listener = listener
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// nameServer answers every question with one address.
func nameServer(t *testing.T, address *atomic.Value) string {
	t.Helper()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{PacketConn: packets, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		answer := new(dns.Msg).SetReply(q)
		if asked := q.Question[0]; asked.Qtype == dns.TypeA {
			answer.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: asked.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 300},
				A: address.Load().(netip.Addr).AsSlice()}}
		}
		_ = w.WriteMsg(answer)
	})}
	go func() { _ = s.ActivateAndServe() }()
	t.Cleanup(func() { _ = s.Shutdown() })
	return packets.LocalAddr().String()
}
