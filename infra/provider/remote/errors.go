// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"errors"
	"fmt"
	"strings"
)

// UnreachableError says that no SSH connection could be made, or that one was
// lost. Whether the machine is dead or the network is cannot be told.
type UnreachableError struct {
	Host, Address string
	Err           error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("host %s (%s): cannot be reached over SSH: %v: check that it is powered on and that its address and port are right", e.Host, e.Address, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// HostKeyMismatchError says that another machine, or a reinstalled one,
// answers at the address. Nothing was sent to it.
type HostKeyMismatchError struct {
	Host, Address string
	// Pinned and Presented are SHA256 fingerprints.
	Pinned, Presented string
}

func (e *HostKeyMismatchError) Error() string {
	return fmt.Sprintf("host %s (%s): its host key is %s, pinned is %s: another machine answers at this address or it was reinstalled; if that is intended, pin the new key in ssh.hostKey", e.Host, e.Address, e.Presented, e.Pinned)
}

// AuthError says that the host is the right one but refuses us, or that the
// private key cannot be used.
type AuthError struct {
	Host, Address string
	Err           error
}

func (e *AuthError) Error() string {
	return fmt.Sprintf("host %s (%s): SSH authentication failed: %v", e.Host, e.Address, e.Err)
}

func (e *AuthError) Unwrap() error { return e.Err }

// ExitError says that a script or unit ran and failed.
type ExitError struct {
	Host string
	// Script is a short name of what ran: its first comment line, or the unit.
	Script string
	Code   int
	Stderr string
}

func (e *ExitError) Error() string {
	return fmt.Sprintf("host %s: %s failed with exit code %d: %s", e.Host, e.Script, e.Code, lastLines(e.Stderr, 8))
}

// LockedError says that another provisioner works on the host now.
type LockedError struct {
	Host string
	// Holder is what the other one said it is doing.
	Holder string
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("host %s: another run is changing it (%s): wait until it ends, then try again", e.Host, e.Holder)
}

// IsUnreachable reports whether err is, or wraps, an *UnreachableError.
func IsUnreachable(err error) bool { var e *UnreachableError; return errors.As(err, &e) }

// IsHostKeyMismatch reports whether err is, or wraps, a *HostKeyMismatchError.
func IsHostKeyMismatch(err error) bool { var e *HostKeyMismatchError; return errors.As(err, &e) }

// IsAuthFailed reports whether err is, or wraps, an *AuthError.
func IsAuthFailed(err error) bool { var e *AuthError; return errors.As(err, &e) }

// IsExit reports whether err is, or wraps, an *ExitError: the host was
// reached and the script itself failed.
func IsExit(err error) bool { var e *ExitError; return errors.As(err, &e) }

// Summary names a script for errors: the text of its first line when that is
// a comment ("# install packages"), else its first 60 characters.
func Summary(script string) string {
	line := strings.TrimSpace(script)
	if i := strings.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	if name, ok := strings.CutPrefix(line, "# "); ok {
		return name
	}
	if len(line) > 60 {
		line = line[:60] + "..."
	}
	return line
}

// lastLines keeps an error readable: the end of a log is where the cause is.
func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return strings.Join(lines, "\n")
}
