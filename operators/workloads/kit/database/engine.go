// SPDX-License-Identifier: Apache-2.0

package database

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Engine is what kind of database it is. It decides what makes a commit durable and how a former primary is told from
// its successor, so it is said by whoever runs the program, and never guessed.
type Engine string

const (
	// Replicated is a PostgreSQL whose standbys have every commit on disk before it is acknowledged; each promotion begins
	// another timeline.
	Replicated Engine = ""
	// Aurora keeps every commit on four of six disks in three zones before it is acknowledged, and its storage takes writes
	// from the newest writer alone. It has no standbys that follow by the log and no timelines, and lacks the functions
	// that tell of them.
	Aurora Engine = "Aurora"
)

// engineOf reads the file engine of a database directory. There is none for the operator's own clusters.
func engineOf(dir string) (Engine, error) {
	text, err := os.ReadFile(filepath.Join(dir, "engine"))
	if errors.Is(err, fs.ErrNotExist) {
		return Replicated, nil
	}
	if err != nil {
		return "", fmt.Errorf("database directory: %w", err)
	}
	if engine := Engine(strings.TrimSpace(string(text))); engine == Aurora {
		return engine, nil
	}
	return "", fmt.Errorf("database directory: engine is %q: expected %s, or no such file for the operator's own cluster", text, Aurora)
}

// undefinedFunction is PostgreSQL's code for a function that there is none of.
const undefinedFunction = "42883"

// validate takes a new connection to a server that can be written to and is of the engine. Any other PostgreSQL behind an
// Aurora's address would have acknowledged commits on one disk.
func (e Engine) validate(ctx context.Context, c *pgconn.PgConn) error {
	if err := pgconn.ValidateConnectTargetSessionAttrsReadWrite(ctx, c); err != nil || e != Aurora {
		return err
	}
	err := c.ExecParams(ctx, `SELECT aurora_version()`, nil, nil, nil, nil).Read().Err
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == undefinedFunction {
		return errors.New("the server is no Aurora, as it is said to be: its commits may be on one disk only, so nothing is written to it")
	}
	return err
}

// watch lets a pool give out connections to the newest primary that it has seen only.
func (e Engine) watch(config *pgxpool.Config) {
	if e == Aurora {
		(&writers{}).watch(config)
		return
	}
	(&terms{}).watch(config)
}
