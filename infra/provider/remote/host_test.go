// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func dial(t *testing.T) (Host, *server) {
	t.Helper()
	signer, private := newKey(t)
	s := newServer(t, signer.PublicKey())
	host, err := client(nil).Dial(t.Context(), s.target(writeKey(t, private, "")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.Close() })
	return host, s
}

func TestRun(t *testing.T) {
	host, _ := dial(t)
	result, err := host.Run(t.Context(), "echo out; echo err >&2")
	if err != nil || result.Stdout != "out\n" || result.Stderr != "err\n" {
		t.Errorf("got %+v, %v", result, err)
	}
	result, err = host.Run(t.Context(), "# look around\necho out; echo broken >&2; exit 3")
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Code != 3 || result.ExitCode != 3 || result.Stdout != "out\n" {
		t.Fatalf("got %+v, %v", result, err)
	}
	if want := "host a: look around failed with exit code 3: broken"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestRunCancelled(t *testing.T) {
	host, _ := dial(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := host.Run(ctx, "sleep 20"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
	if _, err := host.Run(t.Context(), "true"); err != nil {
		t.Errorf("the connection is of no more use: %v", err)
	}
}

func TestRunConnectionLost(t *testing.T) {
	host, _ := dial(t)
	host.Close()
	if _, err := host.Run(t.Context(), "true"); !IsUnreachable(err) {
		t.Errorf("got %v", err)
	}
}

func TestUpload(t *testing.T) {
	host, _ := dial(t)
	content := bytes.Repeat([]byte("it's \x00 'quoted' $HOME `x` \\ \n"), 500)
	path := filepath.Join(t.TempDir(), "new folder", "it's")
	for range 2 { // the second one replaces
		if err := host.Upload(t.Context(), path, content, 0o640); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("read back %d bytes, %v; wrote %d", len(got), err, len(content))
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	left, _ := os.ReadDir(filepath.Dir(path))
	if len(left) != 1 {
		t.Errorf("left %v", left)
	}
}

func TestUnitScript(t *testing.T) {
	host, s := dial(t)
	// systemd-run stands for itself by running the command in the background;
	// systemctl says that nothing runs, as after the end of a unit.
	fakes := map[string]string{
		"systemctl":   "#!/bin/sh\necho inactive\n",
		"systemd-run": "#!/bin/sh\nwhile [ \"$1\" != /bin/sh ]; do shift; done\n\"$@\" &\n",
	}
	for name, script := range fakes {
		if err := os.WriteFile(filepath.Join(s.bin, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	unit := "spine-test-" + strings.ToLower(filepath.Base(t.TempDir()))
	var lines []string
	if err := host.RunUnit(t.Context(), unit, "echo one; sleep 0.3; echo two >&2; printf three", func(l string) { lines = append(lines, l) }); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(lines, " "); got != "one two three" {
		t.Errorf("got lines %q", got)
	}
	err := host.RunUnit(t.Context(), unit, "echo the reason; exit 7", nil)
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Code != 7 || !strings.Contains(err.Error(), "the reason") || !strings.Contains(err.Error(), unit) {
		t.Errorf("got %v", err)
	}
	if err := host.RunUnit(t.Context(), "spine bad; name", "true", nil); err == nil {
		t.Error("a bad unit name was taken")
	}
}

func TestLock(t *testing.T) {
	host, _ := dial(t)
	unlock, err := host.Lock(t.Context(), "first run")
	if err != nil {
		t.Fatal(err)
	}
	_, err = host.Lock(t.Context(), "second run")
	var locked *LockedError
	if !errors.As(err, &locked) || !strings.Contains(err.Error(), "first run") {
		t.Fatalf("got %v", err)
	}
	unlock()
	unlock() // twice does no harm

	again, _ := dial(t)
	if _, err := eventually(t, func() (func(), error) { return again.Lock(t.Context(), "third run") }); err != nil {
		t.Fatal(err)
	}
	// The death of a provisioner is the end of its connection.
	again.Close()
	unlock, err = eventually(t, func() (func(), error) { return host.Lock(t.Context(), "fourth run") })
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

// eventually tries until the other side has noticed that a session ended.
func eventually(t *testing.T, lock func() (func(), error)) (unlock func(), err error) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if unlock, err = lock(); err == nil {
			return unlock, nil
		}
	}
	return nil, err
}
