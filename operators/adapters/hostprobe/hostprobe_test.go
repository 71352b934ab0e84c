// SPDX-License-Identifier: Apache-2.0

package hostprobe

import (
	"context"
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/ports"
)

// listen returns the port of a listener that does that with each connection.
func listen(t *testing.T, serve func(net.Conn)) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
			serve(c)
		}
	}()
	return port(l.Addr())
}

func port(a net.Addr) int { return a.(*net.TCPAddr).Port }

func closed(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return port(l.Addr())
}

func TestProbe(t *testing.T) {
	kubelet := httptest.NewTLSServer(nil)
	t.Cleanup(kubelet.Close)
	serving := port(kubelet.Listener.Addr())
	frozen := listen(t, func(net.Conn) {})
	greets := listen(t, func(c net.Conn) { _, _ = c.Write([]byte("SSH-2.0-x\r\n")) })
	for name, c := range map[string]struct {
		within       time.Duration
		kubelet, ssh int
		want         ports.HostReach
		silent, ok   bool
	}{
		"well":       {time.Minute, serving, greets, ports.HostReach{Kubelet: ports.ReachServes}, false, true},
		"no kubelet": {time.Minute, closed(t), greets, ports.HostReach{Kubelet: ports.ReachAnswers, SSH: ports.ReachServes}, false, true},
		"frozen":     {600 * time.Millisecond, frozen, frozen, ports.HostReach{Kubelet: ports.ReachAnswers, SSH: ports.ReachAnswers}, false, false},
		"plain text": {time.Minute, greets, closed(t), ports.HostReach{Kubelet: ports.ReachAnswers, SSH: ports.ReachAnswers}, false, false},
		"no answer":  {0, serving, greets, ports.HostReach{Kubelet: ports.ReachSilent, SSH: ports.ReachSilent}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), c.within)
			defer cancel()
			p := &Prober{kubelet: c.kubelet, ssh: c.ssh}
			got := p.Probe(ctx, "127.0.0.1")
			if got != c.want || got.Silent() != c.silent || got.Serves() != c.ok {
				t.Errorf("got %+v", got)
			}
		})
	}
}
