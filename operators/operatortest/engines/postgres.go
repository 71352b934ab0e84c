// SPDX-License-Identifier: Apache-2.0

package engines

import (
	"context"
	"fmt"
	"strconv"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// postgresBin is where Debian has the server's programs.
const postgresBin = "/usr/lib/postgresql/17/bin/"

type postgres struct {
	port int
	url  string
}

// StartPostgres starts PostgreSQL 17 with one database, named postgres, whose
// superuser of the same name needs no password. Stop or Kill ends it; so does
// the end of this process.
func StartPostgres(ctx context.Context, options Options) (*Server, error) {
	port, err := options.port()
	if err != nil {
		return nil, err
	}
	url := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
	return start(ctx, "postgresql", options, &postgres{port: port, url: url}, url)
}

func (p *postgres) prepare(ctx context.Context, s *Server) error {
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
