// SPDX-License-Identifier: Apache-2.0

// Command wal-archive takes files of PostgreSQL's log to the archive and back, under the names of Barman's
// barman-cloud-wal-archive and barman-cloud-wal-restore, with their arguments, environment, exit codes and objects.
//
// PostgreSQL waits for both whenever a primary is lost: the one that steps down takes its last files there, and each
// that loses its primary or takes its place asks for files a handful of times. Barman takes a second of a processor to
// begin with each, and minutes to give up on a store that does not answer: that was most of the time in which a service
// stood still. This begins at once, and gives up soon where there is something else to go on with. What it does not
// know or cannot do, Barman's own programs do.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// The names that it goes by.
const (
	archiving = "barman-cloud-wal-archive"
	restoring = "barman-cloud-wal-restore"
)

// barman is the folder of the programs that it stands in for.
const barman = "/usr/bin"

// Barman's exit codes.
const (
	exitNoFile   = 1
	exitNoAnswer = 2
	exitUsage    = 3
	exitOther    = 4
)

// standby is the file, in PostgreSQL's folder, of one that follows another or is taking its place: it has all that was
// acknowledged, or gets it from the one that it follows.
const standby = "standby.signal"

const (
	// patience is how long one that can go on without the archive waits to hear whether a file is there, and all wait
	// for a connection.
	patience = 2 * time.Second
	// believed is how long one that can go on without the archive does so when the store did not answer. One that takes
	// a primary's place asks for files a handful of times, and the others follow it only then.
	believed = 10 * time.Second
	// answering is how long a store may be silent while it takes a file or gives one out.
	answering = 10 * time.Second
	// transfer bounds how long a file takes on its way.
	transfer = time.Minute
)

func main() {
	os.Exit(run(filepath.Base(os.Args[0]), os.Args[1:]))
}

// run does what the name stands for, or has Barman do it, and returns the exit code.
func run(name string, args []string) int {
	switch name {
	case archiving:
		return runArchive(name, args)
	case restoring:
		return runRestore(name, args, standsBy())
	}
	fmt.Fprintf(os.Stderr, "%s: this program goes by the names %s and %s\n", name, archiving, restoring)
	return exitUsage
}

// postmaster is the file with the word of PostgreSQL's state in its eighth line.
const postmaster = "postmaster.pid"

// stopping says whether PostgreSQL, which runs this in its folder, is on its way down.
func stopping() bool {
	content, err := os.ReadFile(postmaster)
	lines := strings.Split(string(content), "\n")
	return err == nil && len(lines) > 7 && strings.TrimSpace(lines[7]) == "stopping"
}

// silent is a file that a try leaves for the next ones when the store did not answer one that need not wait for it. Names
// that begin like this are no part of a copy of PostgreSQL's folder.
const silent = "pgsql_tmp.archive-silent"

// mark leaves that file, if it was the store that did not answer.
func mark(name string, err error) {
	if _, here := errors.AsType[*fs.PathError](err); here || statusOf(err) != 0 {
		return
	}
	if err := os.WriteFile(silent, []byte("the object store did not answer\n"), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, name+":", err)
	}
}

// statusOf the store's answer; 0: it gave none.
func statusOf(err error) int {
	if response, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		return response.HTTPStatusCode()
	}
	return 0
}

// foundSilent says whether a try found that since a time.
func foundSilent(since time.Time) bool {
	tried, err := os.Stat(silent)
	return err == nil && tried.ModTime().After(since)
}

// stopBegan is when PostgreSQL began to stop: it wrote so into its file then.
func stopBegan() time.Time {
	file, err := os.Stat(postmaster)
	if err != nil {
		return time.Now()
	}
	return file.ModTime()
}

// firstHistory is that of the first timeline, which has none. One that is promoted for the first time asks for it.
const firstHistory = "00000001.history"

// holds says whether PostgreSQL, which runs this in its folder, has the file itself: the history of a timeline, which is
// the same wherever it is. One that takes a primary's place asks for that of its own after its standby.signal has gone.
func holds(r request) bool {
	name := path.Base(r.key)
	_, err := os.Stat(filepath.Join("pg_wal", name))
	return err == nil && strings.HasSuffix(name, ".history")
}

// standsBy says whether PostgreSQL, which runs this in its folder, can go on without the archive.
func standsBy() bool {
	_, err := os.Stat(standby)
	return err == nil
}

func runArchive(name string, args []string) int {
	r, known := parseArchive(args)
	if !known {
		return handOver(name, args)
	}
	// PostgreSQL tries each file six times over before it is down, and who takes its place waits for that. What the store
	// has not got then is there still, and goes to it before the server follows another.
	if stopping() && foundSilent(stopBegan()) {
		fmt.Fprintf(os.Stderr, "%s: %s: the store did not answer, and PostgreSQL stops\n", name, r.file)
		return exitNoAnswer
	}
	err := archive(context.Background(), r, func() time.Duration {
		if stopping() {
			return patience
		}
		return answering
	}, transfer)
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, name+":", err)
	switch {
	case statusOf(err)/100 == 4:
		return handOver(name, args) // the store is there, and takes it from Barman if from anybody
	case stopping():
		mark(name, err)
	}
	return exitNoAnswer // PostgreSQL keeps the file and tries again
}

func runRestore(name string, args []string, standsBy bool) int {
	r, known := parseRestore(args)
	if !known {
		return handOver(name, args)
	}
	if path.Base(r.key) == firstHistory {
		return exitNoFile
	}
	goesOn := standsBy || holds(r)
	if goesOn && foundSilent(time.Now().Add(-believed)) {
		fmt.Fprintf(os.Stderr, "%s: %s: the store did not answer a moment ago\n", name, r.file)
		return exitNoAnswer
	}
	err := restore(context.Background(), r, patience, func() time.Duration { return answering }, transfer)
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, name+":", err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return exitNoFile
	case goesOn && !errors.Is(err, errUnknown):
		mark(name, err)
		return exitNoAnswer
	}
	// A recovery ends where the log ends: only Barman's own word, after all its tries, is enough for that.
	return handOver(name, args)
}

// handOver has Barman's own program do it in place of this one.
func handOver(name string, args []string) int {
	program := filepath.Join(barman, name)
	err := syscall.Exec(program, append([]string{program}, args...), os.Environ())
	fmt.Fprintf(os.Stderr, "%s: %s: %v\n", name, program, err)
	return exitOther
}
