// SPDX-License-Identifier: Apache-2.0

// Package database connects the workloads to PostgreSQL by a mounted directory (username, password, host, port, dbname,
// ca.crt, and engine where that is another than the operator's own), which is read again for every new connection, and
// brings their schemas up to date.
package database

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Settings of a new connection.
type Settings struct {
	*pgx.ConnConfig
	// Engine that it leads to.
	Engine Engine
}

// Source gives the settings for a new connection.
type Source func() (Settings, error)

// Engine that the source leads to.
func (s Source) Engine() (Engine, error) {
	settings, err := s()
	return settings.Engine, err
}

// Dir is the source for a mounted directory. The server's certificate must be for its host, by ca.crt (verify-full).
func Dir(dir string) Source {
	return func() (Settings, error) { return fromDir(dir) }
}

// URL is the source for a connection string of a Replicated database.
func URL(url string) Source {
	return func() (Settings, error) {
		c, err := pgx.ParseConfig(url)
		if err != nil {
			return Settings{}, err
		}
		return harden(c, Replicated), nil
	}
}

func fromDir(dir string) (Settings, error) {
	c, err := pgx.ParseConfig("")
	if err != nil {
		return Settings{}, err
	}
	engine, err := engineOf(dir)
	if err != nil {
		return Settings{}, err
	}
	values := map[string]string{}
	for _, key := range []string{"username", "password", "host", "port", "dbname", "ca.crt"} {
		text, err := os.ReadFile(filepath.Join(dir, key))
		if err != nil {
			return Settings{}, fmt.Errorf("database directory: %w: expected the application's Secret and ca.crt mounted there", err)
		}
		values[key] = strings.TrimSpace(string(text))
	}
	port, err := strconv.ParseUint(values["port"], 10, 16)
	if err != nil {
		return Settings{}, fmt.Errorf("database directory: port: expected a number up to 65535")
	}
	c.Host, c.Port, c.Database = values["host"], uint16(port), values["dbname"]
	c.User, c.Password = values["username"], values["password"]
	if err := encrypt(c, values["ca.crt"]); err != nil {
		return Settings{}, fmt.Errorf("database directory: ca.crt: %w", err)
	}
	return harden(c, engine), nil
}

// encrypt has the server's certificate be for its host, by these authorities, whatever else the settings say.
func encrypt(c *pgx.ConnConfig, authorities string) error {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(authorities)) {
		return errors.New("expected PEM certificates")
	}
	c.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: c.Host}
	c.Fallbacks = nil
	return nil
}

// Peer is the source for the Replicated database of the other site, which knows its user by a certificate: address is as
// postgres://site_reader@db.west.example:5433/spine, and dir holds tls.crt, tls.key and ca.crt.
func Peer(address, dir string) (Source, error) {
	u, err := url.Parse(address)
	if err == nil {
		if _, secret := u.User.Password(); secret {
			return nil, errors.New("expected no password: the certificate tells who it is")
		}
	}
	if err != nil || u.Scheme != "postgres" || u.User.Username() == "" || u.Hostname() == "" || len(u.Path) < 2 || u.RawQuery != "" {
		return nil, fmt.Errorf("%q: expected an address as postgres://site_reader@db.west.example:5433/spine", address)
	}
	c, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("%q: expected an address as postgres://site_reader@db.west.example:5433/spine", address)
	}
	return func() (Settings, error) {
		c := c.Copy()
		authorities, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
		if err != nil {
			return Settings{}, err
		}
		if err := encrypt(c, string(authorities)); err != nil {
			return Settings{}, fmt.Errorf("ca.crt: %w", err)
		}
		certificate, err := tls.LoadX509KeyPair(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"))
		if err != nil {
			return Settings{}, err
		}
		c.TLSConfig.Certificates = []tls.Certificate{certificate}
		return harden(c, Replicated), nil
	}, nil
}

// harden adds what every connection needs: a host that died without a word is noticed in 10 s, a server that is no
// longer the primary is not taken, nor one that is not of the engine, and commits wait for the replicas that the cluster
// asks for.
func harden(c *pgx.ConnConfig, engine Engine) Settings {
	dialer := &net.Dialer{
		Timeout:         5 * time.Second,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3},
		Control: func(network, _ string, raw syscall.RawConn) error {
			if !strings.HasPrefix(network, "tcp") {
				return nil
			}
			const tcpUserTimeout = 0x12
			return raw.Control(func(fd uintptr) {
				// Only a hint to the kernel: without it a dead peer takes minutes to notice.
				_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, 10_000)
			})
		},
	}
	c.DialFunc = dialer.DialContext
	c.ConnectTimeout = 8 * time.Second
	c.ValidateConnect = engine.validate
	if c.RuntimeParams == nil {
		c.RuntimeParams = map[string]string{}
	}
	c.RuntimeParams["synchronous_commit"] = "on"
	return Settings{c, engine}
}

// Pool is a pool of at most connections, to the newest primary that it has seen.
func Pool(ctx context.Context, source Source, application string, connections int) (*pgxpool.Pool, error) {
	first, err := source()
	if err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig("")
	if err != nil {
		return nil, err
	}
	first.RuntimeParams["application_name"] = application
	first.OnNotice = noteDoubt
	config.ConnConfig = first.ConnConfig
	config.MaxConns = int32(connections)
	config.MaxConnIdleTime = 5 * time.Minute
	config.MaxConnLifetime = time.Hour
	config.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error {
		fresh, err := source()
		if err != nil {
			return err
		}
		fresh.RuntimeParams["application_name"] = application
		fresh.OnNotice = noteDoubt
		*c = *fresh.ConnConfig
		return nil
	}
	first.Engine.watch(config)
	return pgxpool.NewWithConfig(ctx, config)
}
