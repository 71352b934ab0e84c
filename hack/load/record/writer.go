// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	magic = "SPLOAD1\n"
	// frame precedes a block: the number of events and the CRC-32C of their bytes, both 32 bits little-endian.
	frame = 8
	// maxBlock bounds the events of one block, and so what a reader must hold.
	maxBlock = 8192
	// extension of finished and growing files alike: nothing is renamed, so a killed writer needs no repair.
	extension = ".rec"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Limits of a writer.
const (
	// RotateBytes is the size at which a new file is begun.
	RotateBytes = 256 << 20
	// SyncEvery is how often what was written is forced to the disk. A kill of the process loses nothing that Write
	// returned for; a crash of the machine loses at most this much.
	SyncEvery = time.Second
)

// Writer appends events to files of one folder. It is safe for use by many goroutines.
type Writer struct {
	dir, role string
	rotate    int64
	mu        sync.Mutex
	file      *os.File
	written   int64
	number    int
	begun     int64
	buf       []byte
	failed    error
	stop      chan struct{}
	done      chan struct{}
}

// Create makes the folder and the first file in it. The role becomes part of the files' names; the time does too, so
// that a restarted process never writes to a file of its predecessor.
func Create(dir, role string) (*Writer, error) { return create(dir, role, RotateBytes) }

func create(dir, role string, rotate int64) (*Writer, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	w := &Writer{dir: dir, role: role, rotate: rotate, begun: time.Now().UnixNano(), stop: make(chan struct{}), done: make(chan struct{})}
	if err := w.next(); err != nil {
		return nil, err
	}
	go w.sync()
	return w, nil
}

// next closes the file and begins another one.
func (w *Writer) next() error {
	if w.file != nil {
		if err := errors.Join(w.file.Sync(), w.file.Close()); err != nil {
			return err
		}
	}
	w.number++
	name := fmt.Sprintf("%s-%019d-%05d%s", w.role, w.begun, w.number, extension)
	file, err := os.OpenFile(filepath.Join(w.dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	w.file, w.written = file, int64(len(magic))
	_, err = file.WriteString(magic)
	return err
}

// Write appends events and returns when the kernel has them. After a failure every further call fails: a generator
// whose record has a hole must stop, as what it then measures proves nothing.
func (w *Writer) Write(events []Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(events) > 0 && w.failed == nil {
		n := min(len(events), maxBlock)
		w.failed = w.block(events[:n])
		events = events[n:]
	}
	return w.failed
}

func (w *Writer) block(events []Event) error {
	if w.written >= w.rotate {
		if err := w.next(); err != nil {
			return err
		}
	}
	b := append(w.buf[:0], make([]byte, frame)...)
	for i := range events {
		b = events[i].append(b)
	}
	binary.LittleEndian.PutUint32(b, uint32(len(events)))
	binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b[frame:], castagnoli))
	w.buf = b
	n, err := w.file.Write(b)
	w.written += int64(n)
	return err
}

// sync forces files to the disk in batches, away from those who write.
func (w *Writer) sync() {
	defer close(w.done)
	ticker := time.NewTicker(SyncEvery)
	defer ticker.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-ticker.C:
		}
		w.mu.Lock()
		file := w.file
		w.mu.Unlock()
		// A file that was rotated away meanwhile was synced before it was closed.
		if err := file.Sync(); err != nil && !errors.Is(err, os.ErrClosed) {
			w.mu.Lock()
			w.failed = errors.Join(w.failed, err)
			w.mu.Unlock()
		}
	}
}

// Close forces everything to the disk and says whether all of it was written.
func (w *Writer) Close() error {
	close(w.stop)
	<-w.done
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.failed, w.file.Sync(), w.file.Close())
}
