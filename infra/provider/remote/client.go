// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	// dialTimeout bounds connecting and proving identities. A healthy host
	// answers within milliseconds, one under full load within seconds.
	dialTimeout = 10 * time.Second
	// connectTimeout is for the first packets only, three tries of which fit in:
	// a machine without power should not cost the whole dialTimeout.
	connectTimeout = 5 * time.Second
	// keepAlive is how often a silent connection is probed; deadAfter probes
	// without an answer end it. A host that loses power in the middle of a
	// step is so noticed after 15 seconds.
	keepAlive = 5 * time.Second
	deadAfter = 3
	// maxSessions stays below sshd's default of 10 sessions per connection.
	maxSessions = 8
)

// Client dials hosts over SSH.
type Client struct{ identities identities }

// NewClient finds private keys as the environment says: see identities.
func NewClient() *Client { return &Client{identities: fromEnvironment()} }

// Dial implements Dialer.
func (c *Client) Dial(ctx context.Context, t Target) (Host, error) {
	pinned, err := ParseHostKey(t.HostKey)
	if err != nil {
		return nil, fmt.Errorf("host %s (%s): ssh.hostKey: %w", t.Name, t.Address, err)
	}
	auth, err := c.identities.methods(t)
	if err != nil {
		return nil, &AuthError{Host: t.Name, Address: t.Address, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	address := net.JoinHostPort(t.Address, strconv.Itoa(t.Port))
	conn, err := (&net.Dialer{Timeout: connectTimeout}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, unreachableOr(ctx, t, err)
	}
	// The handshake does not know about ctx: closing the connection ends it.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	var mismatch *HostKeyMismatchError
	config := &ssh.ClientConfig{
		User:              t.User,
		Auth:              auth,
		HostKeyAlgorithms: algorithms(pinned),
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			if string(key.Marshal()) == string(pinned.Marshal()) {
				return nil
			}
			mismatch = &HostKeyMismatchError{
				Host: t.Name, Address: t.Address,
				Pinned: ssh.FingerprintSHA256(pinned), Presented: ssh.FingerprintSHA256(key),
			}
			return mismatch
		},
	}
	sc, chans, reqs, err := ssh.NewClientConn(conn, address, config)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		conn.Close()
		switch {
		case mismatch != nil:
			return nil, mismatch
		case strings.Contains(err.Error(), "unable to authenticate"):
			return nil, &AuthError{Host: t.Name, Address: t.Address, Err: fmt.Errorf("user %s was refused with %s: add the public key to the host's authorized_keys, or name the right key in ssh.identityFile or %s", t.User, c.identities.describe(t), identityEnv)}
		}
		return nil, unreachableOr(ctx, t, err)
	}
	h := &host{target: t, client: ssh.NewClient(sc, chans, reqs), sessions: make(chan struct{}, maxSessions), dead: make(chan struct{})}
	go h.keepAlive()
	return h, nil
}

// unreachableOr keeps a cancellation by the user apart from a host that does
// not answer in time.
func unreachableOr(ctx context.Context, t Target, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("no answer within %s", dialTimeout)
	}
	return &UnreachableError{Host: t.Name, Address: t.Address, Err: err}
}

// ParseHostKey reads a public key as authorized_keys has it, without options:
// "ssh-ed25519 AAAA... comment".
func ParseHostKey(s string) (ssh.PublicKey, error) {
	fields := strings.Fields(s)
	if len(fields) < 2 || strings.ContainsAny(s, "\r\n") {
		return nil, fmt.Errorf("%q is not a public key: expected one line \"ssh-ed25519 AAAA...\" as in /etc/ssh/ssh_host_ed25519_key.pub", shorten(s))
	}
	key, _, options, _, err := ssh.ParseAuthorizedKey([]byte(s))
	if err != nil || len(options) > 0 {
		return nil, fmt.Errorf("%q is not a public key: expected one line \"ssh-ed25519 AAAA...\" as in /etc/ssh/ssh_host_ed25519_key.pub", shorten(s))
	}
	if key.Type() != fields[0] {
		return nil, fmt.Errorf("%q says %s but holds a key of type %s: copy the line again", shorten(s), fields[0], key.Type())
	}
	return key, nil
}

// algorithms asks for the pinned kind of key first: a host with several would
// otherwise present another one, which is no mismatch. The other kinds follow
// so that the error can show what the wrong machine presents.
func algorithms(pinned ssh.PublicKey) []string {
	first := []string{pinned.Type()}
	if pinned.Type() == ssh.KeyAlgoRSA {
		first = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	all := first
	for _, a := range ssh.SupportedAlgorithms().HostKeys {
		known := false
		for _, f := range first {
			known = known || f == a
		}
		if !known {
			all = append(all, a)
		}
	}
	return all
}

func shorten(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}
