// SPDX-License-Identifier: Apache-2.0

// Package sshx reaches hosts over SSH with the rack's key and the pinned host keys.
package sshx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

const (
	// dialLimit bounds one attempt: a host that boots drops packets rather than refusing them.
	dialLimit = 500 * time.Millisecond
	// handshakeLimit bounds banner, key exchange and login on a busy machine.
	handshakeLimit = 10 * time.Second
	retryPause     = 50 * time.Millisecond
)

// Client logs in to the hosts of one rack as root.
type Client struct {
	config *ssh.ClientConfig
	port   string
}

// New reads the rack's key and its known hosts.
func New(keyFile, knownHosts string) (*Client, error) {
	data, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(data)
	if err != nil {
		return nil, fmt.Errorf("SSH key %s: %w", keyFile, err)
	}
	check, err := knownhosts.New(knownHosts)
	if err != nil {
		return nil, err
	}
	return &Client{port: "22", config: &ssh.ClientConfig{
		User: "root", Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: check,
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
	}}, nil
}

// Dial logs in once.
func (c *Client) Dial(ctx context.Context, address string) (*ssh.Client, error) {
	target := net.JoinHostPort(address, c.port)
	dialer := net.Dialer{Timeout: dialLimit}
	conn, err := dialer.DialContext(ctx, "tcp", target)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(handshakeLimit))
	sc, channels, requests, err := ssh.NewClientConn(conn, target, c.config)
	if err != nil {
		conn.Close()
		return nil, err
	}
	_ = conn.SetDeadline(time.Time{})
	return ssh.NewClient(sc, channels, requests), nil
}

// Wait tries until a login works. It gives up at once when the host shows another key than the
// pinned one, when alive reports that the machine is off, or when ctx ends.
func (c *Client) Wait(ctx context.Context, address string, alive func() bool) error {
	for {
		client, err := c.Dial(ctx, address)
		if err == nil {
			return client.Close()
		}
		var wrong *knownhosts.KeyError
		if errors.As(err, &wrong) {
			return fmt.Errorf("SSH at %s shows another host key than the one pinned for it: %w", address, err)
		}
		if !alive() {
			return fmt.Errorf("the machine at %s went off before SSH answered", address)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("SSH at %s does not answer: %w", address, err)
		case <-time.After(retryPause):
		}
	}
}
