// SPDX-License-Identifier: Apache-2.0

package engines

import (
	"context"
	"os"
	"testing"
)

// Postgres starts PostgreSQL until the test ends and returns where it is.
func Postgres(t testing.TB) (dsn string) {
	t.Helper()
	return PostgresServer(t).URL
}

// RabbitMQ starts RabbitMQ until the test ends and returns where it is.
func RabbitMQ(t testing.TB) (url string) {
	t.Helper()
	return RabbitMQServer(t).URL
}

// PostgresServer is for tests that kill it and start it again.
func PostgresServer(t testing.TB) *Server {
	t.Helper()
	return server(t, StartPostgres, Options{})
}

// RabbitMQServer is for tests that kill it and start it again.
func RabbitMQServer(t testing.TB) *Server {
	t.Helper()
	return server(t, StartRabbitMQ, Options{})
}

// SecurePostgres speaks TLS, too, with a certificate of the authority.
func SecurePostgres(t testing.TB, a *Authority) *Server {
	t.Helper()
	return server(t, StartPostgres, secure(t, a))
}

// SecureRabbitMQ speaks TLS, too, with a certificate of the authority.
func SecureRabbitMQ(t testing.TB, a *Authority) *Server {
	t.Helper()
	return server(t, StartRabbitMQ, secure(t, a))
}

// PeerPostgres lets clients in, besides, by their certificates of the same authority: access and idents are lines of
// pg_hba.conf and pg_ident.conf.
func PeerPostgres(t testing.TB, a *Authority, access, idents []string) *Server {
	t.Helper()
	o := secure(t, a)
	o.Clients, o.Access, o.Idents = a.PEM, access, idents
	return server(t, StartPostgres, o)
}

func secure(t testing.TB, a *Authority) Options {
	t.Helper()
	var o Options
	o.Certificate, o.Key = a.Pair(t, "engine")
	return o
}

func server(t testing.TB, start func(context.Context, Options) (*Server, error), options Options) *Server {
	t.Helper()
	// Not the test's own folder: its name, and so the path, may be very long.
	dir, err := os.MkdirTemp("", "engine-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	options.Dir = dir
	s, err := start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Kill()
		if t.Failed() {
			t.Logf("last words of %s:\n%s", s.URL, s.lastWords())
		}
	})
	return s
}

// port is the one asked for, or a free one.
func (o Options) port() (int, error) {
	if o.Port != 0 {
		return o.Port, nil
	}
	return FreePort()
}
