// SPDX-License-Identifier: Apache-2.0

//go:build engines

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/operatortest/engines"
)

// What Barman's own programs do to the content of a file on its way, and where they put it.
const (
	unpack = `import io, sys
from barman.clients.cloud_compression import decompress_to_file
out = io.BytesIO()
decompress_to_file(io.BytesIO(sys.stdin.buffer.read()), out, "lz4")
sys.stdout.buffer.write(out.getvalue())`
	pack = `import io, sys
from barman.clients.cloud_compression import compress
sys.stdout.buffer.write(compress(io.BytesIO(sys.stdin.buffer.read()), "lz4").read())`
	where = `import os, sys
from barman.xlog import hash_dir
name = sys.stdin.read()
sys.stdout.write(os.path.join("path", "db", "wals", hash_dir(name), os.path.basename(name)))`
)

// TestWithBarman: in the image that sites run, Barman reads what is archived here, and here is read what Barman archived.
func TestWithBarman(t *testing.T) {
	image := filepath.Join(os.Getenv(engines.Variable), "postgresql")
	barman := func(script string, content []byte) []byte {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "chroot", image, "python3", "-B", "-c", script)
		var out, errs bytes.Buffer
		cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(content), &out, &errs
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v: %s", err, errs.Bytes())
		}
		return out.Bytes()
	}
	s := &store{}
	endpoint := serve(t, s)
	dir := t.TempDir()
	content := aSegment()
	for _, name := range []string{whole, whole + ".partial", whole + ".00000028.backup", "00000002.history"} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		r, known := parseArchive([]string{"--lz4", "--endpoint-url", endpoint, "--cloud-provider", "aws-s3", "s3://spine/path", "db", file})
		if !known {
			t.Fatalf("the arguments to archive %s are not known", name)
		}
		if err := archive(t.Context(), r, always(time.Minute), time.Minute); err != nil {
			t.Fatal(err)
		}
		if want := string(barman(where, []byte("pg_wal/"+name))); r.key != want {
			t.Errorf("archived as %s, by Barman as %s", r.key, want)
		}
		if !bytes.Equal(barman(unpack, s.objects[r.key+compressed]), content) {
			t.Errorf("Barman reads %s as something else", name)
		}
	}
	r := request{endpoint: endpoint, bucket: "spine", key: "db/" + whole, file: filepath.Join(dir, "RECOVERYXLOG")}
	s.objects[r.key+compressed] = barman(pack, content)
	if err := restore(t.Context(), r, time.Minute, always(time.Minute), time.Minute); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(r.file); err != nil || !bytes.Equal(got, content) {
		t.Errorf("what Barman archived comes back as %d bytes, %v", len(got), err)
	}
}
