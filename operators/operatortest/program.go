// SPDX-License-Identifier: Apache-2.0

package operatortest

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/operatortest/engines"
)

// Program is one of our programs on loopback, as its command runs it.
type Program struct {
	t      testing.TB
	ops    string
	client *http.Client
	ended  chan error
}

// Loopback is an address of 127.0.0.1 to listen on.
func Loopback(t testing.TB) string {
	t.Helper()
	port, err := engines.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// Run runs a program until the test ends, which fails when that is with an error, and asks
// it at its address of operation as the manager does.
func Run(t testing.TB, a *engines.Authority, ops string, run func(context.Context) error) *Program {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	p := &Program{t: t, ops: ops, ended: make(chan error, 1), client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: a.Pool, Certificates: []tls.Certificate{a.Certificate(t, "spine-manager")}},
	}}}
	go func() { p.ended <- run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-p.ended; err != nil {
			t.Errorf("the program ended with %v", err)
		}
	})
	return p
}

// Ask returns the answer to a request.
func (p *Program) Ask(method, path string) (int, string) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), method, "https://"+p.ops+path, http.NoBody)
	if err != nil {
		p.t.Fatal(err)
	}
	response, err := p.client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(body)
}

// Await asks again until the answer is 200, for a minute at most, and returns its body.
func (p *Program) Await(method, path string) string {
	p.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		status, body := p.Ask(method, path)
		if status == http.StatusOK {
			return body
		}
		select {
		case err := <-p.ended:
			p.ended <- err
			p.t.Fatalf("%s: the program ended: %v", path, err)
		default:
		}
		if time.Now().After(end) {
			p.t.Fatalf("%s: %d %s", path, status, body)
		}
	}
}
