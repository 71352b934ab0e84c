// SPDX-License-Identifier: Apache-2.0

// Package hostprobe knocks at hosts over the network: at the kubelet and at the SSH daemon.
// A connection alone does not count as a sign of life of the program: the kernel of a host
// whose programs are frozen takes connections too.
package hostprobe

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"syscall"
	"time"

	"spine.nhs.uk/controlplane/operators/ports"
)

// kubeletPort is the kubelet's, on every host.
const kubeletPort = 10250

// Prober is a ports.HostProber. It sends no credentials and reads nothing but greetings.
type Prober struct {
	kubelet, ssh int
}

// New returns a Prober of hosts whose SSH daemon listens on that port.
func New(sshPort int) *Prober { return &Prober{kubelet: kubeletPort, ssh: sshPort} }

// patience with the kubelet, before the SSH daemon is asked too: it notes every connection
// in the host's journal, and has nothing to add while the kubelet speaks.
const patience = 300 * time.Millisecond

// Probe implements ports.HostProber.
func (p *Prober) Probe(ctx context.Context, address string) ports.HostReach {
	kubelet := make(chan ports.Reach, 1)
	go func() { kubelet <- knock(ctx, address, p.kubelet, handshake) }()
	select {
	case reach := <-kubelet:
		if reach == ports.ReachServes {
			return ports.HostReach{Kubelet: reach}
		}
		return ports.HostReach{Kubelet: reach, SSH: knock(ctx, address, p.ssh, banner)}
	case <-time.After(patience):
		ssh := knock(ctx, address, p.ssh, banner)
		return ports.HostReach{Kubelet: <-kubelet, SSH: ssh}
	}
}

func knock(ctx context.Context, address string, port int, greet func(context.Context, net.Conn) error) ports.Reach {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET):
		return ports.ReachAnswers
	case err != nil:
		return ports.ReachSilent
	}
	defer func() { _ = conn.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return ports.ReachAnswers
		}
	}
	if greet(ctx, conn) != nil {
		return ports.ReachAnswers
	}
	return ports.ReachServes
}

// handshake is done with whatever certificate the kubelet shows: it is only asked whether
// it speaks, and told nothing.
func handshake(ctx context.Context, conn net.Conn) error {
	return tls.Client(conn, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}).HandshakeContext(ctx)
}

// banner reads the first byte of "SSH-2.0-...".
func banner(_ context.Context, conn net.Conn) error {
	_, err := io.ReadFull(conn, make([]byte, 1))
	return err
}
