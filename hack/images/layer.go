// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// layerFormat is raised when the same files become other bytes.
const layerFormat = "1"

// A File is one entry of a layer.
type File struct {
	// Path is absolute.
	Path string
	// Source is the file on this machine to take the content from; empty for a
	// link or a folder.
	Source string
	// Link is the target of a symbolic link.
	Link string
	// Dir says that it is a folder.
	Dir bool
	// Mode holds the permission bits as in Unix, 01000 for sticky included.
	Mode int64
	// UID and GID own it; 0 is root.
	UID, GID int
}

// A Layer is a set of files.
type Layer []File

// Key names a layer by its entries and by size and time of their sources, which
// are never changed in place: they lie in folders named after their own content.
func (l Layer) Key() (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", layerFormat)
	for _, f := range l.sorted() {
		fmt.Fprintf(h, "%q %q %t %o", f.Path, f.Link, f.Dir, f.Mode)
		if f.UID != 0 || f.GID != 0 {
			fmt.Fprintf(h, " %d:%d", f.UID, f.GID)
		}
		if f.Source != "" {
			info, err := os.Stat(f.Source)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(h, " %q %d %d", f.Source, info.Size(), info.ModTime().UnixNano())
		}
		fmt.Fprintln(h)
	}
	return hex.EncodeToString(h.Sum(nil))[:32], nil
}

// sorted returns the entries by path, so that order does not matter.
func (l Layer) sorted() Layer {
	s := slices.Clone(l)
	slices.SortFunc(s, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return s
}

// digests are what an image says about a layer.
type digests struct {
	// Digest is the SHA-256 of the compressed bytes, DiffID of the others.
	Digest, DiffID string
	// Size is of the compressed bytes.
	Size int64
}

// write writes the layer as a compressed archive; the same files give the same
// bytes on every machine. Speed counts more than size: it crosses one rack.
func (l Layer) write(w io.Writer) (digests, error) {
	packed := &counter{w: w, hash: sha256.New()}
	zip, err := gzip.NewWriterLevel(packed, gzip.BestSpeed)
	if err != nil {
		return digests{}, err
	}
	plain := &counter{w: zip, hash: sha256.New()}
	archive := tar.NewWriter(plain)
	made := map[string]bool{"/": true}
	for _, f := range l.sorted() {
		for _, dir := range parents(f.Path) {
			if !made[dir] {
				made[dir] = true
				if err := add(archive, File{Path: dir, Dir: true, Mode: 0o755}); err != nil {
					return digests{}, err
				}
			}
		}
		made[f.Path] = true
		if err := add(archive, f); err != nil {
			return digests{}, fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	if err := archive.Close(); err != nil {
		return digests{}, err
	}
	if err := zip.Close(); err != nil {
		return digests{}, err
	}
	return digests{Digest: packed.sum(), DiffID: plain.sum(), Size: packed.n}, nil
}

// add writes one entry, at the beginning of Unix time.
func add(archive *tar.Writer, f File) error {
	header := &tar.Header{
		Name: strings.TrimPrefix(f.Path, "/"), Mode: f.Mode, Uid: f.UID, Gid: f.GID, ModTime: time.Unix(0, 0), Format: tar.FormatPAX,
	}
	switch {
	case f.Dir:
		header.Typeflag, header.Name = tar.TypeDir, header.Name+"/"
		return archive.WriteHeader(header)
	case f.Link != "":
		header.Typeflag, header.Linkname, header.Mode = tar.TypeSymlink, f.Link, 0o777
		return archive.WriteHeader(header)
	}
	source, err := os.Open(f.Source)
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	header.Typeflag, header.Size = tar.TypeReg, info.Size()
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(archive, source)
	return err
}

// parents lists the folders above a path, the highest first, without the root.
func parents(p string) []string {
	var dirs []string
	for dir := path.Dir(p); dir != "/" && dir != "."; dir = path.Dir(dir) {
		dirs = append(dirs, dir)
	}
	slices.Reverse(dirs)
	return dirs
}

// counter counts and hashes what passes.
type counter struct {
	w    io.Writer
	hash hash.Hash
	n    int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.hash.Write(p[:n])
	c.n += int64(n)
	return n, err
}

func (c *counter) sum() string { return "sha256:" + hex.EncodeToString(c.hash.Sum(nil)) }
