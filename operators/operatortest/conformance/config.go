// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/ports/thirdplace"
)

// Mount makes a folder with a configuration, as a mounted Secret has it, and with other files by name.
func Mount(t testing.TB, config any, files map[string]string) string {
	t.Helper()
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(thirdplace.File, text)
	for name, content := range files {
		write(name, []byte(content))
	}
	return dir
}

// Profile is the file "credentials" with a key of AWS's.
func Profile(id, secret string) map[string]string {
	return map[string]string{"credentials": "[default]\naws_access_key_id = " + id + "\naws_secret_access_key = " + secret + "\n"}
}

// Text of a configuration, and parts of what is said of it: none of a good one.
type Text = struct {
	YAML string
	Said []string
}

// Configs holds that every mistake in a configuration is named, and that no text in errors is the secret.
func Configs[C thirdplace.Config](t *testing.T, secret string, texts map[string]Text) {
	t.Helper()
	for name, c := range texts {
		t.Run(name, func(t *testing.T) {
			_, err := thirdplace.Decode[C]([]byte(c.YAML))
			if (err != nil) != (len(c.Said) > 0) {
				t.Fatal(err)
			}
			for _, want := range c.Said {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nwant: %s", err, want)
				}
			}
			if err != nil && secret != "" && strings.Contains(err.Error(), secret) {
				t.Errorf("the secret is in the error: %v", err)
			}
		})
	}
}

// Never answers, as long as the test runs: for servers that ask whether a request has been answered.
func Never(t *testing.T) func(http.ResponseWriter, *http.Request) bool {
	ended := make(chan struct{})
	t.Cleanup(func() { close(ended) })
	return func(http.ResponseWriter, *http.Request) bool { <-ended; return true }
}

// Late holds that a question to somebody who never answers fails as E, neither before its limit nor long after it.
func Late[E error](t *testing.T, limit time.Duration, ask func() error) {
	t.Helper()
	begun := time.Now()
	err := ask()
	if late := *new(E); !errors.As(err, &late) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(begun); took < limit || took > 10*limit {
		t.Errorf("it took %s", took)
	}
}
