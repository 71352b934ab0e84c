// SPDX-License-Identifier: Apache-2.0

package sshx

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
	"spine.nhs.uk/controlplane/hack/rack/internal/pki"
)

// host is an SSH server with its own key that lets one client key in.
type host struct {
	address string
	port    string
	key     ssh.Signer
}

func signer(t *testing.T, file string) ssh.Signer {
	t.Helper()
	if _, err := pki.EnsureSSHKey(file, "test"); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.ParsePrivateKey(data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func serve(t *testing.T, allowed ssh.PublicKey) host {
	t.Helper()
	key := signer(t, filepath.Join(t.TempDir(), "host"))
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, got ssh.PublicKey) (*ssh.Permissions, error) {
		if string(got.Marshal()) != string(allowed.Marshal()) {
			return nil, errors.New("unknown key")
		}
		return nil, nil
	}}
	config.AddHostKey(key)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if sc, _, _, err := ssh.NewServerConn(conn, config); err == nil {
					sc.Wait()
				}
			}()
		}
	}()
	address, port, _ := net.SplitHostPort(l.Addr().String())
	return host{address, port, key}
}

func client(t *testing.T, keyFile string, h host, pinned ssh.PublicKey) *Client {
	t.Helper()
	known := filepath.Join(t.TempDir(), "known_hosts")
	line := knownhosts.Line([]string{net.JoinHostPort(h.address, h.port)}, pinned)
	if err := os.WriteFile(known, []byte(line+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := New(keyFile, known)
	if err != nil {
		t.Fatal(err)
	}
	c.port = h.port
	return c
}

func TestWait(t *testing.T) {
	dir := t.TempDir()
	mine, other := filepath.Join(dir, "mine"), filepath.Join(dir, "other")
	h := serve(t, signer(t, mine).PublicKey())
	yes, no := func() bool { return true }, func() bool { return false }
	gone := host{address: "127.0.0.1", port: "1", key: h.key}
	cases := map[string]struct {
		key    string
		host   host
		pinned ssh.PublicKey
		alive  func() bool
		want   string
	}{
		"login":            {mine, h, h.key.PublicKey(), yes, ""},
		"another host key": {mine, h, signer(t, other).PublicKey(), yes, "shows another host key than the one pinned"},
		"key refused":      {other, h, h.key.PublicKey(), yes, "unable to authenticate"},
		"nothing answers":  {mine, gone, h.key.PublicKey(), yes, "connection refused"},
		"machine went off": {mine, gone, h.key.PublicKey(), no, "went off before SSH answered"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*retryPause)
			if c.want == "" {
				ctx, cancel = context.WithTimeout(t.Context(), 30*time.Second)
			}
			defer cancel()
			err := client(t, c.key, c.host, c.pinned).Wait(ctx, c.host.address, c.alive)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
