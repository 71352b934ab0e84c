// SPDX-License-Identifier: Apache-2.0

package engines

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Owner of the databases of a Site, who is no superuser.
const Owner = "owner"

// Site is a PostgreSQL that lets people in as an operator's cluster does: its owner by password, others by certificate.
type Site struct {
	t         testing.TB
	authority *Authority
	server    *Server
	admin     *pgx.Conn
}

// NewSite starts one. access and idents are lines of pg_hba.conf and pg_ident.conf.
func NewSite(t testing.TB, access, idents []string) *Site {
	t.Helper()
	s := &Site{t: t, authority: NewAuthority(t)}
	s.server = PeerPostgres(t, s.authority, access, idents)
	var err error
	if s.admin, err = pgx.Connect(t.Context(), s.server.URL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.admin.Close(context.Background()) })
	s.Run(`CREATE ROLE ` + Owner + ` LOGIN PASSWORD 'owners-password'`)
	return s
}

// Run one statement as its superuser.
func (s *Site) Run(sql string) {
	s.t.Helper()
	if _, err := s.admin.Exec(s.t.Context(), sql); err != nil {
		s.t.Fatal(err)
	}
}

// URL of the database postgres, as its superuser.
func (s *Site) URL() string { return s.server.URL }

// Port at which it speaks TLS.
func (s *Site) Port() int { return s.server.SecurePort }

// Dir is a directory with what the owner of a database needs, as a program has it mounted.
func (s *Site) Dir(database string) string {
	s.t.Helper()
	return s.folder(map[string][]byte{
		"username": []byte(Owner), "password": []byte("owners-password"), "host": []byte("127.0.0.1"),
		"port": []byte(strconv.Itoa(s.Port())), "dbname": []byte(database), "ca.crt": s.authority.PEM,
	})
}

// Certificate is a directory with a client's certificate of that name, its key, and the server's authority.
func (s *Site) Certificate(name string) string {
	s.t.Helper()
	return s.folder(maps.Clone(s.authority.Secret(s.t, name)))
}

func (s *Site) folder(files map[string][]byte) string {
	s.t.Helper()
	dir := s.t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	return dir
}
