// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// source makes a file with the content, made at the time.
func source(t *testing.T, content string, at time.Time) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
	return path
}

func pack(t *testing.T, l Layer) ([]byte, digests) {
	t.Helper()
	var b bytes.Buffer
	d, err := l.write(&b)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), d
}

func TestLayerDependsOnlyOnItsFiles(t *testing.T) {
	old, recent := time.Unix(1e9, 0), time.Unix(2e9, 0)
	one := Layer{{Path: "/b/x", Source: source(t, "x", old), Mode: 0o755}, {Path: "/a", Link: "b/x"}, scratch}
	two := Layer{scratch, {Path: "/a", Link: "b/x"}, {Path: "/b/x", Source: source(t, "x", recent), Mode: 0o755}}
	first, d1 := pack(t, one)
	second, d2 := pack(t, two)
	if !bytes.Equal(first, second) || d1 != d2 {
		t.Errorf("order and times must not matter: %+v and %+v", d1, d2)
	}
	if d1.Size != int64(len(first)) {
		t.Errorf("size is %d, not %d", d1.Size, len(first))
	}
	if _, d3 := pack(t, Layer{{Path: "/b/x", Source: source(t, "y", old), Mode: 0o755}}); d3.DiffID == d1.DiffID {
		t.Error("other content, same digest")
	}
}

func TestLayerEntries(t *testing.T) {
	data, _ := pack(t, Layer{{Path: "/usr/bin/x", Source: source(t, "hello", time.Now()), Mode: 0o755}, {Path: "/usr/bin/y", Link: "x"}, scratch})
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for r := tar.NewReader(zip); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 || h.ModTime.Unix() != 0 {
			t.Errorf("%s is of %d:%d at %s", h.Name, h.Uid, h.Gid, h.ModTime)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %o %s %s", h.Name, h.Mode, h.Linkname, body))
	}
	want := []string{"tmp/ 1777  ", "usr/ 755  ", "usr/bin/ 755  ", "usr/bin/x 755  hello", "usr/bin/y 777 x "}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestLayerNamesWhatIsMissing(t *testing.T) {
	l := Layer{{Path: "/x", Source: "/nowhere/x"}}
	if _, err := l.Key(); err == nil || !strings.Contains(err.Error(), "/nowhere/x") {
		t.Errorf("got %v", err)
	}
}
