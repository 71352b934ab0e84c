// SPDX-License-Identifier: Apache-2.0

// Command local brings the whole system up on the virtual rack, takes it down, and says how it stands: it is what
// `make up`, `make down`, `make status` and `make env` run. Everything it does is an ordinary command that can be
// typed by hand (`rack up`, `images push`, `pulumi up`); it adds their order, their environment and the times.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const usage = `local: the system on the virtual rack, whole

usage:
  local up                tools, images, rack and "pulumi up"; then a first message, a first booking and a summary
  local prepare           only what "up" builds: commands, tools, host system, images
  local down              "pulumi destroy", then the rack: leaves the machine as it was
  local down --force      the rack only, and forget the stack's state (when the cluster is beyond repair)
  local images            build and push the images again: the next "pulumi up" rolls out what differs;
                          with --revision r2 every image of ours and of the engines does
  local status            rack, nodes, services and pods that are not well
  local env               the environment for your shell: eval "$(make -s env)"
  local mesh-token ID     the Authorization header for one request of a mailbox, such as X26GP001

flags:
`

// defaultStack is the one that no flag names.
const defaultStack = "local"

func main() {
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	stack := flags.String("stack", defaultStack, "the stack, which is also the name of the rack")
	config := flags.String("config-file", "", "the stack's config file, when it is not in environments/")
	force := flags.Bool("force", false, "with down: do not ask the cluster; remove the rack and the stack's state")
	revision := flags.String("revision", "", "with images: a label, so that they differ though nothing else changed")
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	if len(os.Args) < 2 {
		flags.Usage()
		os.Exit(2)
	}
	command := os.Args[1]
	if command == "-h" || command == "--help" || command == "help" {
		flags.SetOutput(os.Stdout)
		flags.Usage()
		return
	}
	if err := flags.Parse(os.Args[2:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		os.Exit(2)
	}

	var arguments []string
	if command == "mesh-token" {
		arguments = flags.Args()
	} else if flags.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "%s takes no argument %q (try --help)\n", command, flags.Arg(0))
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := run(ctx, command, options{Stack: *stack, ConfigFile: *config, Force: *force, Revision: *revision}, arguments)
	if err != nil {
		fmt.Fprintf(os.Stderr, "\n%v\n", err)
		os.Exit(1)
	}
}

type options struct {
	Stack, ConfigFile, Revision string
	Force                       bool
}

func run(ctx context.Context, command string, opts options, arguments []string) error {
	w, err := newWorkspace(opts)
	if err != nil {
		return err
	}
	switch command {
	case "up":
		return w.up(ctx)
	case "prepare":
		return w.prepare(ctx)
	case "down":
		return w.down(ctx)
	case "images":
		return w.images(ctx)
	case "status":
		return w.status(ctx)
	case "env":
		w.printEnv(os.Stdout)
		return nil
	case "mesh-token":
		if len(arguments) != 1 {
			return errors.New("mesh-token needs the ID of one mailbox, such as X26GP001")
		}
		value, err := w.clients().Authorization(arguments[0])
		if err != nil {
			return err
		}
		fmt.Println(value)
		return nil
	}
	return fmt.Errorf("unknown command %q: want up, prepare, down, images, status, env or mesh-token (try --help)", command)
}
