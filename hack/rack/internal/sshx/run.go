// SPDX-License-Identifier: Apache-2.0

package sshx

import (
	"context"
	"errors"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/term"
)

// Run runs a command on a host with this process's input and output, or a shell when there is
// none, and returns the command's exit status. It serves machines without an ssh program.
func (c *Client) Run(ctx context.Context, address string, command []string) (int, error) {
	client, err := c.Dial(ctx, address)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	defer context.AfterFunc(ctx, func() { client.Close() })()
	session, err := client.NewSession()
	if err != nil {
		return 0, err
	}
	defer session.Close()
	session.Stdin, session.Stdout, session.Stderr = os.Stdin, os.Stdout, os.Stderr
	if len(command) > 0 {
		return status(session.Run(strings.Join(command, " ")))
	}
	if fd := int(os.Stdin.Fd()); term.IsTerminal(fd) {
		restore, err := terminal(session, fd)
		if err != nil {
			return 0, err
		}
		defer restore()
	}
	if err := session.Shell(); err != nil {
		return 0, err
	}
	return status(session.Wait())
}

// terminal gives the session a terminal like the one that this process has.
func terminal(session *ssh.Session, fd int) (func(), error) {
	width, height, err := term.GetSize(fd)
	if err != nil {
		return nil, err
	}
	old, err := term.MakeRaw(fd)
	if err != nil {
		return nil, err
	}
	restore := func() { _ = term.Restore(fd, old) }
	if err := session.RequestPty(os.Getenv("TERM"), height, width, nil); err != nil {
		restore()
		return nil, err
	}
	return restore, nil
}

func status(err error) (int, error) {
	var exit *ssh.ExitError
	if errors.As(err, &exit) {
		return exit.ExitStatus(), nil
	}
	return 0, err
}
