// SPDX-License-Identifier: Apache-2.0

package loopback

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"github.com/jackc/pgx/v5"

	"spine.nhs.uk/controlplane/operators/operatortest/engines"
)

// postgresUser is the number of the user that PostgreSQL runs as.
const postgresUser = 26

// secure gives PostgreSQL a certificate and databases for the services, and writes the folders that hold how to connect.
func (s *Site) secure(ctx context.Context) error {
	certificate, key, err := s.platform.issue("database")
	if err != nil {
		return err
	}
	data := filepath.Join(s.dir, "postgresql", "data", "pg")
	for name, content := range map[string][]byte{"spine.crt": certificate, "spine.key": key} {
		path := filepath.Join(data, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
		if err := os.Chown(path, postgresUser, postgresUser); err != nil {
			return err
		}
	}
	conn, err := pgx.Connect(ctx, s.Postgres.URL)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, statement := range []string{
		"ALTER SYSTEM SET ssl_cert_file = 'spine.crt'", "ALTER SYSTEM SET ssl_key_file = 'spine.key'", "ALTER SYSTEM SET ssl = on",
		"SELECT pg_reload_conf()",
		"CREATE ROLE app LOGIN PASSWORD 'app'", "CREATE DATABASE messaging OWNER app", "CREATE DATABASE booking OWNER app",
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("prepare PostgreSQL: %s: %w", statement, err)
		}
	}
	where, err := url.Parse(s.Postgres.URL)
	if err != nil {
		return err
	}
	for _, service := range []string{"messaging", "booking"} {
		if err := write(filepath.Join(s.dir, service, "database"), map[string]string{
			"username": "app", "password": "app", "host": where.Hostname(), "port": where.Port(), "dbname": service, "ca.crt": string(s.platform.pem),
		}); err != nil {
			return err
		}
	}
	return nil
}

// DatabaseURL is how the checker reads the database of a service, "messaging" or "booking".
func (s *Site) DatabaseURL(service string) (string, error) {
	u, err := url.Parse(s.Postgres.URL)
	if err != nil {
		return "", err
	}
	u.Path = "/" + service
	return u.String(), nil
}

// broker starts RabbitMQ behind TLS, and writes the folder that holds how to connect.
func (s *Site) broker(ctx context.Context) error {
	certificate, key, err := s.platform.issue("broker")
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return err
	}
	plain, err := url.Parse(s.RabbitMQ.URL)
	if err != nil {
		return err
	}
	if s.proxy, err = startProxy(plain.Host, pair); err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(s.proxy.listener.Addr().String())
	if err != nil {
		return err
	}
	password, _ := plain.User.Password()
	return write(filepath.Join(s.dir, "messaging", "broker"), map[string]string{
		"username": plain.User.Username(), "password": password, "host": "127.0.0.1", "port": port, "ca.crt": string(s.platform.pem),
	})
}

func (s *Site) startEngines(ctx context.Context) (err error) {
	if s.Postgres, err = engines.StartPostgres(ctx, engines.Options{Dir: filepath.Join(s.dir, "postgresql")}); err != nil {
		return err
	}
	if err := s.secure(ctx); err != nil {
		return err
	}
	if !s.options.Messages {
		return nil
	}
	if s.RabbitMQ, err = engines.StartRabbitMQ(ctx, engines.Options{Dir: filepath.Join(s.dir, "rabbitmq")}); err != nil {
		return err
	}
	return s.broker(ctx)
}

// proxy ends TLS in front of a server that has none.
type proxy struct {
	listener net.Listener
	target   string
	wg       sync.WaitGroup
	mu       sync.Mutex
	open     map[net.Conn]bool
	closed   bool
}

func startProxy(target string, pair tls.Certificate) (*proxy, error) {
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}})
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: listener, target: target, open: map[net.Conn]bool{}}
	p.wg.Go(p.serve)
	return p, nil
}

func (p *proxy) serve() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.pipe(conn) })
	}
}

// pipe copies both ways until either side ends.
func (p *proxy) pipe(outer net.Conn) {
	defer p.forget(outer)
	inner, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer p.forget(inner)
	if !p.keep(outer) || !p.keep(inner) {
		return
	}
	ended := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{outer, inner}, {inner, outer}} {
		go func() {
			// Why a connection ended is told to its two ends by its closing.
			_, _ = io.Copy(way[0], way[1])
			ended <- struct{}{}
		}()
	}
	<-ended
}

func (p *proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[c] = true
	return !p.closed
}

func (p *proxy) forget(c net.Conn) {
	p.mu.Lock()
	delete(p.open, c)
	p.mu.Unlock()
	_ = c.Close()
}

// close ends the proxy and all that goes through it.
func (p *proxy) close() error {
	err := p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for c := range p.open {
		err = errors.Join(err, ignoreClosed(c.Close()))
	}
	p.mu.Unlock()
	p.wg.Wait()
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
