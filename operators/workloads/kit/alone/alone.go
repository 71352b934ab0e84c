// SPDX-License-Identifier: Apache-2.0

// Package alone is what the programs' commands alone have in common: each lists what the database of a site that lost its
// vote holds, and the one of the site that serves does not.
//
// The site that serves has a copy of everything up to some commit of the other's, and nothing after it. So a list is made
// from the newest backwards, and ends with what was committed before something that both have.
package alone

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/pflag"

	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

// listed is how many are listed at most: a program's log has room for no more.
const listed = 50_000

// List is what one kind of service lists.
type List struct {
	// Header are the names of the columns.
	Header []string
	// Margin is how much older than another row one may be said to be and yet have been committed after it: rows have
	// their times before they are committed, and the clocks of replicas differ.
	Margin time.Duration
	// Batches of both databases: From is this site's, To the other one's.
	Batches func(*database.Pair) Batches
}

// Flags are those that every such command has.
type Flags struct {
	// HereDir is a directory as database.Dir reads it, and PeerDir one as database.Peer does.
	HereDir, PeerDir string
	// Peer is the address of the other site's database.
	Peer string
	// Report is the file for the report; empty: standard error.
	Report string
}

// Add defines them.
func (f *Flags) Add(flags *pflag.FlagSet) {
	flags.StringVar(&f.HereDir, "here-dir", "", "directory of this site's database, with username, password, host, port, dbname, ca.crt")
	flags.StringVar(&f.PeerDir, "peer-dir", "", "directory with tls.crt, tls.key and ca.crt for the database of the site that serves")
	flags.StringVar(&f.Peer, "peer", "", "where that is, for example postgres://site_reader@db.west.example:5433/spine")
	flags.StringVar(&f.Report, "report", "", "file for the report (default standard error)")
}

// sources are the two databases; what is wrong with the flags is reported together.
func (f *Flags) sources() (here, peer database.Source, err error) {
	var errs []error
	if f.HereDir == "" {
		errs = append(errs, errors.New("--here-dir: expected the directory of this site's database"))
	}
	if f.PeerDir == "" {
		errs = append(errs, errors.New("--peer-dir: expected the directory with the certificate for the other site's database"))
	}
	if peer, err = database.Peer(f.Peer, f.PeerDir); err != nil {
		errs = append(errs, fmt.Errorf("--peer: %w", err))
	}
	return database.Dir(f.HereDir), peer, errors.Join(errs...)
}

// Report is what such a command found.
type Report struct {
	// Alone is how many this site alone holds: messages, or changes of referrals.
	Alone int64 `json:"alone"`
	// Again of them came to the other site since by another way; left out when there are none.
	Again int64 `json:"again,omitempty"`
	// Listed of them are in the list: the newest, where there are too many.
	Listed int64 `json:"listed"`
	// First and Last are when the oldest and the newest of them came, by RFC 3339; empty when there are none.
	First string `json:"first,omitempty"`
	Last  string `json:"last,omitempty"`
}

// Row is one that this site holds.
type Row struct {
	At time.Time
	// Alone says that the other site lacks it, and Again that the same came there since by another way.
	Alone, Again bool
	// Columns of the list.
	Columns []string
}

// Batches give the rows of this site, the newest first, some at a time, and none when all were given.
type Batches func(ctx context.Context) ([]Row, error)

// Run does the work of a command on both databases once they let it in: it writes the list to out, and its report, as one
// line of JSON. An error is of one line. After SIGTERM, when ctx has ended, it says what to do rather than which statement
// it came upon.
func (f *Flags) Run(ctx context.Context, out, errs io.Writer, list List) error {
	if err := f.run(ctx, out, errs, list); err != nil {
		return errors.New("alone: " + database.OneLine(err))
	}
	return nil
}

func (f *Flags) run(ctx context.Context, out, errs io.Writer, list List) error {
	here, peer, err := f.sources()
	if err != nil {
		return err
	}
	names := [2]string{"this site's database", "the other site's database"}
	if err := errors.Join(database.Reached(ctx, names[0], here), database.Reached(ctx, names[1], peer)); err != nil {
		return database.Stopped(ctx, err)
	}
	const connections = 2
	pair, err := database.OpenPair(ctx, here, peer, names, "alone", connections)
	if err != nil {
		return database.Stopped(ctx, err)
	}
	defer pair.Close()
	report, err := list.walk(ctx, csv.NewWriter(out), list.Batches(pair))
	if err != nil {
		return database.Stopped(ctx, err)
	}
	text, err := json.Marshal(report)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if f.Report != "" {
		return os.WriteFile(f.Report, text, 0o644)
	}
	_, err = errs.Write(text)
	return err
}

// walk lists what the other site lacks.
func (l List) walk(ctx context.Context, list *csv.Writer, next Batches) (r Report, err error) {
	if err := list.Write(l.Header); err != nil {
		return r, err
	}
	var first, last, both time.Time
	for {
		rows, err := next(ctx)
		if err != nil {
			return r, err
		}
		for _, row := range rows {
			switch {
			case !row.Alone:
				if row.At.After(both) {
					both = row.At
				}
				continue
			case r.Alone == 0:
				first, last = row.At, row.At
			}
			r.Alone++
			if row.Again {
				r.Again++
			}
			if row.At.Before(first) {
				first = row.At
			}
			if row.At.After(last) {
				last = row.At
			}
			if r.Listed == listed {
				continue
			}
			r.Listed++
			if err := list.Write(row.Columns); err != nil {
				return r, err
			}
		}
		if list.Flush(); list.Error() != nil {
			return r, list.Error()
		}
		if len(rows) == 0 || !both.IsZero() && rows[len(rows)-1].At.Before(both.Add(-l.Margin)) {
			break
		}
	}
	if r.Alone > 0 {
		r.First, r.Last = first.UTC().Format(time.RFC3339Nano), last.UTC().Format(time.RFC3339Nano)
	}
	return r, nil
}
