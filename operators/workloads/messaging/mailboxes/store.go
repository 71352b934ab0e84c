// SPDX-License-Identifier: Apache-2.0

package mailboxes

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/message"
)

// interval is how often a changed file is looked for. A cluster itself takes up to a minute to bring a changed Secret.
const interval = 5 * time.Second

var _ message.Directory = (*Store)(nil)

// Store holds the newest usable version of a mailbox file and follows its changes. A version that cannot be used is
// reported and the one before stays in force: a slip in an edit must not lock every client out.
type Store struct {
	path    string
	current atomic.Pointer[Directory]

	mu   sync.Mutex
	last [sha256.Size]byte
}

// Open reads the file. A gateway that starts without a usable one would refuse everybody, so that is an error: either
// an *Error, or one of the file system.
func Open(path string) (*Store, error) {
	s := &Store{path: path}
	if _, err := s.Reload(); err != nil {
		return nil, err
	}
	return s, nil
}

// Fixed is a store of a directory that never changes.
func Fixed(d *Directory) *Store {
	s := &Store{}
	s.current.Store(d)
	return s
}

// Directory is the version in force. A request takes it once and keeps to it.
func (s *Store) Directory() *Directory { return s.current.Load() }

// Reload reads the file again and says whether it took over a new version. A version that was refused is reported
// once, not again until the file changes.
func (s *Store) Reload() (changed bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, err := read(s.path)
	if err != nil {
		return false, fmt.Errorf("reading the mailboxes: %w", err)
	}
	sum := sha256.Sum256(text)
	if sum == s.last {
		return false, nil
	}
	s.last = sum
	d, err := Parse(text)
	if err != nil {
		return false, fmt.Errorf("%s: %w", s.path, err)
	}
	s.current.Store(d)
	return true, nil
}

// Watch looks for a new version every few seconds until the context ends, and reports what it cannot use. Reading again,
// rather than watching the file system, also sees the symbolic links change by which a cluster swaps a mounted Secret.
func (s *Store) Watch(ctx context.Context, onError func(error)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if _, err := s.Reload(); err != nil {
				onError(err)
			}
		}
	}
}

// Party finds a mailbox in the version in force.
func (s *Store) Party(mailbox string) (message.Party, bool) {
	m := s.Directory().Lookup(mailbox)
	if m == nil {
		return message.Party{}, false
	}
	return m.Party(), true
}

// Named finds, in the version in force, the mailboxes that a certificate with one of these names may act for.
func (s *Store) Named(names []string) []message.Party {
	var out []message.Party
	for _, m := range s.Directory().Named(names) {
		out = append(out, m.Party())
	}
	return out
}

// read stops one byte past the limit, so that Parse can refuse a file that is too large.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, MaxBytes+1))
}
