// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// CorruptError says that a file is not what a Writer makes, in a way that being killed does not explain.
type CorruptError struct {
	Path   string
	Offset int64
	What   string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("%s: at byte %d: %s; the record is damaged and proves nothing: run the load again", e.Path, e.Offset, e.What)
}

// ErrNone: the folder holds no record files.
var ErrNone = errors.New("no record files (*.rec)")

// Files lists the record files of a folder, by name; ErrNone when there are none.
func Files(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*"+extension))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s: %w", dir, ErrNone)
	}
	slices.Sort(paths)
	return paths, nil
}

// Scan hands every event of every file in the folder to each, block by block; the slice is only valid during the call.
// It stops at the first error.
func Scan(dir string, each func([]Event) error) error {
	paths, err := Files(dir)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := scanFile(path, each); err != nil {
			return err
		}
	}
	return nil
}

func scanFile(path string, each func([]Event) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	err = parse(bufio.NewReaderSize(file, 1<<20), each)
	var corrupt *CorruptError
	if errors.As(err, &corrupt) {
		corrupt.Path = path
	}
	return err
}

// parse reads one file. A block that ends with the file before its own end is what a killed writer leaves, and is
// left out; anything else that does not fit is a CorruptError.
func parse(r io.Reader, each func([]Event) error) error {
	head := make([]byte, len(magic))
	switch n, err := io.ReadFull(r, head); {
	case torn(err) && magic[:n] == string(head[:n]):
		return nil
	case torn(err) || err == nil && string(head) != magic:
		return &CorruptError{What: "not a record file"}
	case err != nil:
		return err
	}
	var (
		block  = make([]byte, maxBlock*Size)
		events = make([]Event, maxBlock)
		offset = int64(len(magic))
		lead   [frame]byte
	)
	for {
		if _, err := io.ReadFull(r, lead[:]); torn(err) {
			return nil
		} else if err != nil {
			return err
		}
		count := binary.LittleEndian.Uint32(lead[:])
		if count == 0 || count > maxBlock {
			return &CorruptError{Offset: offset, What: fmt.Sprintf("a block of %d events", count)}
		}
		b := block[:count*Size]
		if _, err := io.ReadFull(r, b); torn(err) {
			return nil
		} else if err != nil {
			return err
		}
		if crc32.Checksum(b, castagnoli) != binary.LittleEndian.Uint32(lead[4:]) {
			return &CorruptError{Offset: offset, What: "a block whose checksum differs"}
		}
		for i := range int(count) {
			if err := events[i].decode(b[i*Size : (i+1)*Size]); err != nil {
				return &CorruptError{Offset: offset, What: err.Error()}
			}
		}
		if err := each(events[:count]); err != nil {
			return err
		}
		offset += frame + int64(len(b))
	}
}

func torn(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
