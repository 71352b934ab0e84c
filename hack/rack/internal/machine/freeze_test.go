// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/hack/rack/internal/cgroup"
)

func TestFreezeAndThaw(t *testing.T) {
	m := testMachine(t)
	hierarchy := t.TempDir()
	m.Cgroups = cgroup.System{Mode: cgroup.V2, Hierarchies: []cgroup.Hierarchy{{Path: hierarchy, Unified: true}}}
	if err := os.MkdirAll(filepath.Dir(m.files().Lock()), 0o755); err != nil {
		t.Fatal(err)
	}
	var off *OffError
	if err := m.Freeze(t.Context()); !errors.As(err, &off) {
		t.Errorf("freezing a host that is off: %v", err)
	}
	if err := m.Thaw(t.Context()); !errors.As(err, &off) {
		t.Errorf("thawing a host that is off: %v", err)
	}

	process := exec.Command("sleep", "600")
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Process.Kill(); _ = process.Wait() })
	dir := filepath.Join(hierarchy, m.group().Name, "payload")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(process.Process.Pid)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := m.Freeze(t.Context()); err != nil {
		t.Fatal(err)
	}
	awaitStopped(t, process.Process.Pid, true)
	if err := m.Thaw(t.Context()); err != nil {
		t.Fatal(err)
	}
	awaitStopped(t, process.Process.Pid, false)
}

// awaitStopped waits until the kernel shows a process as stopped, or as not stopped.
func awaitStopped(t *testing.T, pid int, want bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(status), "State:\tT") == want {
			return
		}
	}
	t.Errorf("process %d: stopped should be %v", pid, want)
}
