// SPDX-License-Identifier: Apache-2.0

// Package restore is what the programs' commands restore have in common: each compares a database that was restored to a
// point in time with the one before, and carries over what came since.
package restore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/pflag"

	"spine.nhs.uk/controlplane/operators/workloads/kit/database"
)

// Names of the two databases in errors.
var Names = [2]string{"the database before", "the restored database"}

// Flags are those that every such command has.
type Flags struct {
	// FromDir and ToDir are directories as database.Dir reads them.
	FromDir, ToDir string
	// Until is the point in time, by RFC 3339.
	Until string
	// Carry over what came since, rather than compare alone.
	Carry bool
	// Report is the file for the report; empty: standard output.
	Report string
}

// Add defines them; came says what is carried over.
func (f *Flags) Add(flags *pflag.FlagSet, came string) {
	flags.StringVar(&f.FromDir, "from-dir", "", "directory of the database before, with username, password, host, port, dbname, ca.crt")
	flags.StringVar(&f.ToDir, "to-dir", "", "the same of the restored database")
	flags.StringVar(&f.Until, "until", "", "the point in time that was restored, for example 2026-11-21T06:15:00Z (RFC 3339)")
	flags.BoolVar(&f.Carry, "carry", false, "carry over what was "+came+" after the point, then compare")
	flags.StringVar(&f.Report, "report", "", "file for the report (default standard output)")
}

// point is the time asked for; what is wrong with the flags is reported together.
func (f *Flags) point() (time.Time, error) {
	var errs []error
	if f.FromDir == "" {
		errs = append(errs, errors.New("--from-dir: expected the directory of the database before"))
	}
	if f.ToDir == "" {
		errs = append(errs, errors.New("--to-dir: expected the directory of the restored database"))
	}
	until, err := time.Parse(time.RFC3339, f.Until)
	if err != nil {
		errs = append(errs, fmt.Errorf("--until is %q: expected a time as 2026-11-21T06:15:00Z", f.Until))
	} else if until.After(time.Now()) {
		errs = append(errs, fmt.Errorf("--until is %s: expected a time that has passed", f.Until))
	}
	return until, errors.Join(errs...)
}

// Report is what such a command writes: counts of messages or of referrals, and nothing of what they say or whose they are.
type Report struct {
	// Both have these. OnlyFrom should be in the restored database and are not, OnlyTo and Differing were destroyed or
	// changed since the point, After came since and are not, or not so, in the restored database.
	Both      int64 `json:"both"`
	OnlyFrom  int64 `json:"onlyFrom"`
	OnlyTo    int64 `json:"onlyTo"`
	Differing int64 `json:"differing"`
	After     int64 `json:"after"`
	// Carried over by this run.
	Carried int64 `json:"carried"`
	// Displaced bookings are on the worklists of their providers, as their slots are other patients' since; left out when there are none.
	Displaced int64 `json:"displaced,omitempty"`
	// Last is when the newest of the restored database came, by RFC 3339; empty when it has none.
	Last string `json:"last"`
}

// Run does the work of a command on both databases once they let it in, and writes its report, as one
// line of JSON. An error is of one line. After SIGTERM, when ctx has ended, it says what to do rather than which
// statement it came upon.
func (f *Flags) Run(ctx context.Context, out io.Writer, work func(from, to database.Source, until time.Time) (Report, error)) error {
	err := f.run(ctx, out, work)
	if err != nil {
		return errors.New("restore: " + database.OneLine(err))
	}
	return nil
}

func (f *Flags) run(ctx context.Context, out io.Writer, work func(from, to database.Source, until time.Time) (Report, error)) error {
	until, err := f.point()
	if err != nil {
		return err
	}
	from, to := database.Dir(f.FromDir), database.Dir(f.ToDir)
	if err := errors.Join(database.Reached(ctx, Names[0], from), database.Reached(ctx, Names[1], to)); err != nil {
		return database.Stopped(ctx, err)
	}
	report, err := work(from, to, until)
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
	_, err = out.Write(text)
	return err
}
