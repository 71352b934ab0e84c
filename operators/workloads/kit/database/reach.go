// SPDX-License-Identifier: Apache-2.0

package database

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// reachWithin is how long a database may take to let a program in that was just started: the rules of a new pod's network
// are drawn up after it has begun, and until then every connection is refused.
const reachWithin = 2 * time.Minute

// Reached waits until a database, by its name in errors, lets this program in.
func Reached(ctx context.Context, name string, source Source) error {
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	for {
		settings, err := source()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		conn, err := pgx.ConnectConfig(ctx, settings.ConnConfig)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", name, err)
		case <-time.After(time.Second):
		}
	}
}

// Stopped is the error of work on a database that may be begun anew; after the end of ctx it says so, rather than which
// statement it came upon.
func Stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("stopped before it was done; run it again")
	}
	return err
}

// OneLine joins the lines of an error: several that were found together, or the addresses that a driver tried.
func OneLine(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "; ")
}
