// SPDX-License-Identifier: Apache-2.0

package engines

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// postgresBin is where Debian has the server's programs.
const postgresBin = "/usr/lib/postgresql/17/bin/"

type postgres struct {
	port            int
	url             string
	secure, clients bool
}

// StartPostgres starts PostgreSQL 17 with one database, named postgres, whose
// superuser of the same name needs no password. With a certificate it lets all
// others in by TLS and password alone, at the same port, unless Access says more. Stop or Kill ends it; so
// does the end of this process.
func StartPostgres(ctx context.Context, options Options) (*Server, error) {
	port, err := options.port()
	if err != nil {
		return nil, err
	}
	url := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
	secure := options.Certificate != nil
	s, err := start(ctx, "postgresql", options, &postgres{port: port, url: url, secure: secure, clients: options.Clients != nil}, url)
	if err == nil && secure {
		s.SecurePort = port
	}
	return s, err
}

// access is who is let in where there is a certificate.
const access = `host all postgres 127.0.0.1/32 trust
hostssl all all 127.0.0.1/32 scram-sha-256
`

func (p *postgres) prepare(ctx context.Context, s *Server) error {
	for name, text := range map[string]string{
		"access": strings.Join(append(slices.Clone(s.options.Access), access), "\n"), "idents": strings.Join(s.options.Idents, "\n"),
	} {
		if err := os.WriteFile(filepath.Join(s.data(), name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return s.run(ctx, postgresBin+"initdb", "--pgdata="+inside+"/pg", "--username=postgres", "--auth=trust",
		"--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
}

func (p *postgres) command() (args, env []string) {
	args = []string{postgresBin + "postgres", "-D", inside + "/pg"}
	for _, setting := range []string{
		"listen_addresses=127.0.0.1", "port=" + strconv.Itoa(p.port), "unix_socket_directories=",
		// Small, as tests of several packages run at once; the rest is as it comes,
		// fsync above all.
		"shared_buffers=64MB", "max_connections=200", "max_wal_size=256MB",
	} {
		args = append(args, "-c", setting)
	}
	if p.secure {
		args = append(args, "-c", "ssl=on", "-c", "ssl_cert_file="+inside+"/"+certificateFile, "-c", "ssl_key_file="+inside+"/"+keyFile,
			"-c", "hba_file="+inside+"/access",
			"-c", "ident_file="+inside+"/idents")
	}
	if p.clients {
		args = append(args, "-c", "ssl_ca_file="+inside+"/"+clientsFile)
	}
	return args, nil
}

func (p *postgres) user() int { return 26 }

func (p *postgres) ready(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, p.url)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// stop ends sessions rather than wait for them.
func (p *postgres) stop() syscall.Signal { return syscall.SIGINT }
