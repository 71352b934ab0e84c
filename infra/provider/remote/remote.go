// SPDX-License-Identifier: Apache-2.0

// Package remote runs scripts on hosts over SSH.
//
// Everything the provider does to a machine goes through the Host interface,
// so that decisions can be tested against a scripted host (package remotetest)
// and so that every failure has one of the types in errors.go.
package remote

import (
	"context"
	"io/fs"
)

// Target says how to reach a host.
type Target struct {
	// Name is the host's name in the environment; errors use it.
	Name string
	// Address is an IP address or a resolvable name.
	Address string
	// User logs in; every script expects root's rights.
	User string
	// Port is the TCP port of sshd, 1 to 65535.
	Port int
	// HostKey is the pinned public key, as in authorized_keys: "ssh-ed25519 AAAA...".
	HostKey string
	// IdentityFile is the path of a private key; a leading "~/" is the home of
	// whoever runs the provider. Empty means the SSH agent.
	IdentityFile string
}

// Result is what a script printed, whatever its exit code.
type Result struct {
	Stdout, Stderr string
	ExitCode       int
}

// Host is a connection to one machine. All methods honour ctx; one connection
// may be used by several goroutines.
type Host interface {
	// Run feeds script to `sh -s`, so that nothing of it shows in a process
	// list. A non-zero exit returns the Result and an *ExitError; every other
	// failure is an *UnreachableError or ctx's error.
	Run(ctx context.Context, script string) (Result, error)
	// Upload writes content to path by way of a temporary file and a rename,
	// so that no reader sees half a file. Missing folders are made.
	Upload(ctx context.Context, path string, content []byte, mode fs.FileMode) error
	// RunUnit runs script in a transient systemd unit, which goes on when we
	// or the connection die. It attaches to a unit of that name that already
	// runs, instead of starting a second one. progress gets each line printed.
	// A failed unit returns an *ExitError.
	RunUnit(ctx context.Context, unit, script string, progress func(line string)) error
	// Lock takes the host's provisioning lock, so that two provisioners never
	// work on one machine. purpose tells the other one who holds it. It fails
	// at once with *LockedError when it is taken. It ends with unlock, with
	// the connection, and with our death.
	Lock(ctx context.Context, purpose string) (unlock func(), err error)
	// Close ends the connection; units that were started go on.
	Close() error
}

// Dialer opens connections: *Client over SSH, remotetest.Fake in tests.
type Dialer interface {
	// Dial connects and proves both identities. It fails with
	// *UnreachableError, *HostKeyMismatchError, *AuthError or ctx's error.
	Dial(ctx context.Context, t Target) (Host, error)
}
