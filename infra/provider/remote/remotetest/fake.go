// SPDX-License-Identifier: Apache-2.0

// Package remotetest is a scripted host for tests.
package remotetest

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"spine.nhs.uk/controlplane/infra/provider/remote"
)

// Call is one thing that was asked of a host.
type Call struct {
	Host string
	// Kind is run, upload, unit or lock.
	Kind string
	// What is the script's summary, the path, the unit or the purpose.
	What string
	// Script is the whole script of a run or unit, the content of an upload.
	Script string
}

// Host is one machine of a Fake. The first rule whose Match is part of a
// script (or unit name) answers it.
type Host struct {
	// DialError, when set, is what Dial returns.
	DialError error
	Rules     []Rule
	// LockedBy, when set, is who holds the provisioning lock.
	LockedBy string
}

// Rule answers scripts.
type Rule struct {
	Match  string
	Result remote.Result
	Err    error
	// Do, when set, computes the answer instead.
	Do func(script string) (remote.Result, error)
}

// Fake is a remote.Dialer over scripted hosts by name. It records every call.
type Fake struct {
	mu    sync.Mutex
	hosts map[string]*Host
	calls []Call
}

// New returns a Fake with these hosts.
func New(hosts map[string]*Host) *Fake { return &Fake{hosts: hosts} }

// Set replaces or adds a host, as when a machine dies or comes back.
func (f *Fake) Set(name string, h *Host) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hosts[name] = h
}

// Calls returns what was asked so far, in order.
func (f *Fake) Calls() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Call(nil), f.calls...)
}

// Dial implements remote.Dialer. A host that is not there is unreachable.
func (f *Fake) Dial(ctx context.Context, t remote.Target) (remote.Host, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f.mu.Lock()
	h, ok := f.hosts[t.Name]
	f.mu.Unlock()
	if !ok {
		return nil, &remote.UnreachableError{Host: t.Name, Address: t.Address, Err: fmt.Errorf("no such host")}
	}
	if h.DialError != nil {
		return nil, h.DialError
	}
	return &conn{fake: f, host: h, name: t.Name}, nil
}

type conn struct {
	fake *Fake
	host *Host
	name string
}

func (c *conn) record(kind, what, script string) {
	c.fake.mu.Lock()
	defer c.fake.mu.Unlock()
	c.fake.calls = append(c.fake.calls, Call{Host: c.name, Kind: kind, What: what, Script: script})
}

func (c *conn) answer(key, script string) (remote.Result, error) {
	for _, r := range c.host.Rules {
		if strings.Contains(key, r.Match) {
			if r.Do != nil {
				return r.Do(script)
			}
			return r.Result, r.Err
		}
	}
	return remote.Result{}, nil
}

func (c *conn) Run(ctx context.Context, script string) (remote.Result, error) {
	if err := ctx.Err(); err != nil {
		return remote.Result{}, err
	}
	c.record("run", remote.Summary(script), script)
	result, err := c.answer(script, script)
	if err == nil && result.ExitCode != 0 {
		err = &remote.ExitError{Host: c.name, Script: remote.Summary(script), Code: result.ExitCode, Stderr: result.Stderr}
	}
	return result, err
}

func (c *conn) Upload(ctx context.Context, path string, content []byte, _ fs.FileMode) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.record("upload", path, string(content))
	_, err := c.answer("upload "+path, string(content))
	return err
}

func (c *conn) RunUnit(ctx context.Context, unit, script string, progress func(string)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.record("unit", unit, script)
	result, err := c.answer(unit+"\n"+script, script)
	if progress != nil {
		for _, line := range strings.Split(strings.TrimSpace(result.Stdout), "\n") {
			progress(line)
		}
	}
	if err == nil && result.ExitCode != 0 {
		err = &remote.ExitError{Host: c.name, Script: unit, Code: result.ExitCode, Stderr: result.Stderr}
	}
	return err
}

func (c *conn) Lock(ctx context.Context, purpose string) (func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.record("lock", purpose, "")
	if c.host.LockedBy != "" {
		return nil, &remote.LockedError{Host: c.name, Holder: c.host.LockedBy}
	}
	return func() {}, nil
}

func (c *conn) Close() error { return nil }
