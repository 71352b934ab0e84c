// SPDX-License-Identifier: Apache-2.0

// Package dispatch passes references to messages through RabbitMQ: numbers of the ledger, in batches, on one quorum
// queue for each lane. The broker may lose all of it at any time: the ledger holds the truth, and what is missing is
// published again from there.
package dispatch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// Source gives the address for a new connection (amqp or amqps, with user and password) and its TLS settings.
type Source func() (address string, config *tls.Config, err error)

// Dir is the source for a mounted directory: username, password, host, port, ca.crt. The connection is TLS.
func Dir(dir string) Source {
	return func() (string, *tls.Config, error) {
		values := map[string]string{}
		for _, key := range []string{"username", "password", "host", "port", "ca.crt"} {
			text, err := os.ReadFile(filepath.Join(dir, key))
			if err != nil {
				return "", nil, fmt.Errorf("broker directory: %w: expected the default user's Secret and ca.crt mounted there", err)
			}
			values[key] = strings.TrimSpace(string(text))
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM([]byte(values["ca.crt"])) {
			return "", nil, errors.New("broker directory: ca.crt: expected PEM certificates")
		}
		// Checked here, as the library's own error would show the whole address, with the password.
		if _, err := strconv.ParseUint(values["port"], 10, 16); err != nil {
			return "", nil, errors.New("broker directory: port: expected a number up to 65535")
		}
		address := url.URL{
			Scheme: "amqps", User: url.UserPassword(values["username"], values["password"]),
			Host: net.JoinHostPort(values["host"], tlsPort(values["port"])),
		}
		return address.String(), &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: values["host"]}, nil
	}
}

// tlsPort is the port to use: the operator's Secret may name the plain one, which is not served.
func tlsPort(port string) string {
	if port == "5672" {
		return "5671"
	}
	return port
}

// URL is the source for an address without TLS settings of its own.
func URL(address string) Source {
	return func() (string, *tls.Config, error) { return address, nil, nil }
}

const (
	heartbeat  = 5 * time.Second
	retryAfter = 500 * time.Millisecond
	// maxBatch is the most references in one broker message.
	maxBatch = 500
)

// closeWithin is how long the broker has to answer that a connection ends.
const closeWithin = 2 * time.Second

// connection is a connection with what lies under it.
type connection struct {
	*amqp.Connection
	socket net.Conn
}

func dial(source Source, name string) (*connection, error) {
	address, config, err := source()
	if err != nil {
		return nil, err
	}
	c := &connection{}
	dialer := amqp.DefaultDial(5 * time.Second)
	c.Connection, err = amqp.DialConfig(address, amqp.Config{
		Heartbeat: heartbeat, TLSClientConfig: config, Locale: "en_US", Properties: amqp.Table{"connection_name": name},
		Dial: func(network, address string) (net.Conn, error) {
			var err error
			c.socket, err = dialer(network, address)
			return c.socket, err
		},
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// hangUp ends the connection, and with it every call that waits on it. A broker with a queue that does not answer
// leaves that unanswered too, for a minute and more, so the socket is closed under it.
func (c *connection) hangUp() {
	cut := time.AfterFunc(closeWithin, func() { _ = c.socket.Close() })
	defer cut.Stop()
	_ = c.Close()
}

// keepUp runs do with a connection, again and again until ctx ends; do returns when the connection is lost.
func keepUp(ctx context.Context, source Source, name string, log *slog.Logger, do func(context.Context, *connection) error) {
	for ctx.Err() == nil {
		conn, err := dial(source, name)
		if err == nil {
			err = do(ctx, conn)
			conn.hangUp()
		}
		if ctx.Err() == nil {
			log.Warn("broker connection lost; messages are kept in the ledger and follow when it is back", "connection", name, "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(retryAfter):
			}
		}
	}
}

// Queue is the name of a lane's queue.
func Queue(lane string) string { return "spine/" + lane }

func arguments(lane string) amqp.Table {
	// References are tiny and may be rejected any number of times; a limit would drop them.
	args := amqp.Table{amqp.QueueTypeArg: amqp.QueueTypeQuorum, "x-delivery-limit": int32(-1)}
	if strings.HasPrefix(lane, probePrefix) {
		args[amqp.QueueTTLArg] = int32(10 * time.Minute / time.Millisecond)
	}
	return args
}

// probePrefix begins the lanes of deep probes; each replica has its own, whose queue goes when it does.
const probePrefix = "probe/"

func encode(seqs []message.Seq) []byte {
	b := make([]byte, 0, 8*len(seqs))
	for _, s := range seqs {
		b = binary.BigEndian.AppendUint64(b, uint64(s))
	}
	return b
}

// decode reads references; what is not a reference is left out, as the ledger knows better.
func decode(b []byte) []message.Seq {
	seqs := make([]message.Seq, 0, len(b)/8)
	for ; len(b) >= 8; b = b[8:] {
		if s := message.Seq(binary.BigEndian.Uint64(b)); s > 0 {
			seqs = append(seqs, s)
		}
	}
	return seqs
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
