// SPDX-License-Identifier: Apache-2.0

package check

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"spine.nhs.uk/controlplane/hack/load/record"
)

// memoryEvents is how many events are sorted in memory at a time: 2 million are 128 MiB.
const memoryEvents = 2 << 20

// shards splits events by key over files, so that all events of one key meet in one shard that fits into memory,
// however long the run was.
type shards struct {
	dir     string
	writers []*record.Writer
	parts   [][]record.Event
}

// partFlush is how many events a shard gathers before they are written.
const partFlush = 1024

// newShards makes enough shards below dir for the number of events that are expected.
func newShards(dir string, expected int64, inMemory int64) (*shards, error) {
	n := int(expected/inMemory) + 1
	s := &shards{dir: dir, parts: make([][]record.Event, n)}
	for i := range n {
		w, err := record.Create(s.path(i), "shard")
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		s.writers = append(s.writers, w)
	}
	return s, nil
}

func (s *shards) path(i int) string { return filepath.Join(s.dir, fmt.Sprintf("%05d", i)) }

// add takes events of any keys.
func (s *shards) add(events []record.Event) error {
	for i := range events {
		// The keys' last bytes count upwards, so they spread evenly; the hash keeps that true for keys of slots.
		n := int(record.Ref(events[i].Key[:]) >> 8 % uint64(len(s.parts)))
		s.parts[n] = append(s.parts[n], events[i])
		if len(s.parts[n]) >= partFlush {
			if err := s.flush(n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *shards) flush(n int) error {
	err := s.writers[n].Write(s.parts[n])
	s.parts[n] = s.parts[n][:0]
	return err
}

func (s *shards) close() error {
	var errs []error
	for _, w := range s.writers {
		errs = append(errs, w.Close())
	}
	s.writers = nil
	return errors.Join(errs...)
}

// groups hands the events of each key, in the order in which they were seen, to each. No more can be added after it.
func (s *shards) groups(each func([]record.Event)) error {
	for n := range s.parts {
		if err := s.flush(n); err != nil {
			return err
		}
	}
	if err := s.close(); err != nil {
		return err
	}
	var all []record.Event
	for n := range s.parts {
		all = all[:0]
		if err := record.Scan(s.path(n), func(events []record.Event) error {
			all = append(all, events...)
			return nil
		}); err != nil {
			return err
		}
		if err := os.RemoveAll(s.path(n)); err != nil {
			return err
		}
		slices.SortFunc(all, func(a, b record.Event) int {
			return cmp.Or(bytes.Compare(a.Key[:], b.Key[:]), cmp.Compare(a.At, b.At), cmp.Compare(a.Kind, b.Kind))
		})
		for from := 0; from < len(all); {
			to := from + 1
			for to < len(all) && all[to].Key == all[from].Key {
				to++
			}
			each(all[from:to])
			from = to
		}
	}
	return nil
}
