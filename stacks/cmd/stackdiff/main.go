// SPDX-License-Identifier: Apache-2.0

// Command stackdiff reads a change before it is made, and after: what it means, by risk, in words, judged by the same
// rules as the update itself, with what it costs.
//
// Exit codes: 0 all is well, 1 the command failed, 2 the report is there and something is wrong: a preview failed, an
// update would be refused, or something drifted.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"spine.nhs.uk/controlplane/infra/policy/pack"
)

// Exit codes, which scripts may rely on.
const (
	exitWell  = 0
	exitError = 1
	exitWrong = 2
)

// errWrong says that the report was written and that something in it is wrong.
var errWrong = errors.New("something is wrong: see the report")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{out: os.Stdout, err: os.Stderr, now: time.Now, rules: pack.Rules(), root: "."}
	os.Exit(run(ctx, a, os.Args[1:]))
}

// run carries out one command and returns its exit code.
func run(ctx context.Context, a *app, args []string) int {
	command := a.command()
	command.SetArgs(args)
	switch err := command.ExecuteContext(ctx); {
	case err == nil:
		return exitWell
	case errors.Is(err, errWrong):
		return exitWrong
	default:
		fmt.Fprintln(a.err, "stackdiff:", err)
		return exitError
	}
}
