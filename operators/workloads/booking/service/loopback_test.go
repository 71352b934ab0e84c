// SPDX-License-Identifier: Apache-2.0

//go:build engines

package service

import (
	"io"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

var quiet = log.New(io.Discard, "", 0)

func writeDatabaseDir(t *testing.T, dir string, port int, ca []byte) {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o700))
	for file, content := range map[string]string{"username": "postgres", "password": "unused", "host": "127.0.0.1", "port": strconv.Itoa(port),
		"dbname": "postgres", "ca.crt": string(ca)} {
		must(t, os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600))
	}
}
