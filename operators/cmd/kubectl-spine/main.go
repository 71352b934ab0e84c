// SPDX-License-Identifier: Apache-2.0

// Command kubectl-spine is the on-call responder's plugin: what is wrong, which page says
// what to do, and the operations that recover a service, planned, agreed to and proven.
//
// Exit codes: 0 all is well, 1 the command failed, 2 something is wrong or blocked.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// Exit codes, which scripts may rely on.
const (
	exitWell  = 0
	exitError = 1
	exitWrong = 2
)

// completer is the name under which kubectl calls the plugin to complete its arguments.
const completer = "kubectl_complete-spine"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, newApp(os.Stdin, os.Stdout, os.Stderr), arguments(os.Args)))
}

// arguments of the command. Under its other name the program completes them.
func arguments(args []string) []string {
	if filepath.Base(args[0]) == completer {
		return append([]string{"__complete"}, args[1:]...)
	}
	return args[1:]
}

// run carries out one command and returns its exit code.
func run(ctx context.Context, a *app, args []string) int {
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitWell
	}
	var wrong *wrongError
	if errors.As(err, &wrong) {
		if wrong.message != "" {
			fmt.Fprintln(a.err, wrong.message)
		}
		return exitWrong
	}
	fmt.Fprintln(a.err, "kubectl spine:", err)
	return exitError
}

// wrongError ends the program with exit code 2: the command did its work, and what it found
// or asked for is not well. What is wrong is on the screen already, or in message.
type wrongError struct{ message string }

func (e *wrongError) Error() string {
	if e.message == "" {
		return "something is wrong"
	}
	return e.message
}

func wrong(format string, args ...any) error {
	return &wrongError{message: fmt.Sprintf(format, args...)}
}
