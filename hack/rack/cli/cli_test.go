// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spine.nhs.uk/controlplane/hack/rack/internal/lifecycle"
	"spine.nhs.uk/controlplane/hack/rack/internal/machine"
	"spine.nhs.uk/controlplane/hack/rack/internal/network"
)

func TestExitCodes(t *testing.T) {
	t.Setenv("SPINE_HOME", t.TempDir())
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("name: x\nsites: []\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		args string
		want int
	}{
		{"--help", exitOK},
		{"status", exitOK},
		{"list -o json", exitOK},
		{"completion bash", exitOK},
		{"frobnicate", exitUsage},
		{"up --frobnicate", exitUsage},
		{"down now", exitUsage},
		{"power off", exitUsage},
		{"power explode a", exitUsage},
		{"partition a", exitUsage},
		{"freeze", exitUsage},
		{"thaw a b", exitUsage},
		{"status -o yaml", exitUsage},
		{"status --rack nosuch", exitFailure},
		{"up -f nosuch.yaml", exitFailure},
		{"up -f " + bad, exitFailure},
		{"ssh a true", exitFailure},
		{"power status a", exitFailure},
		{"logs a", exitFailure},
		{"freeze a", exitFailure},
		{"thaw a", exitFailure},
	}
	silence(t)
	for _, c := range cases {
		if got := Run(t.Context(), strings.Fields(c.args)); got != c.want {
			t.Errorf("rack %s exits with %d, want %d", c.args, got, c.want)
		}
	}
}

// silence sends what the commands print to nowhere.
func silence(t *testing.T) {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = null, null
	t.Cleanup(func() { os.Stdout, os.Stderr = stdout, stderr; null.Close() })
}

func TestEveryCommandIsExplained(t *testing.T) {
	for _, c := range newRoot().Commands() {
		if c.Hidden {
			continue
		}
		if c.Short == "" || c.Example == "" {
			t.Errorf("%s has no explanation or no example", c.Name())
		}
	}
}

func TestPrintStatus(t *testing.T) {
	s := lifecycle.Status{
		Rack: "local", Up: true,
		Daemon:   lifecycle.DaemonStatus{Running: true, PID: 7},
		Registry: lifecycle.RegistryStatus{Push: "127.0.0.1:4000"},
		Sites:    []lifecycle.SiteStatus{{Name: "local", Registry: "10.90.0.1:5000", ObjectStore: "10.90.0.1:9000", Bucket: "spine"}},
		Hosts: []lifecycle.HostStatus{
			{Name: "a", Site: "local", Rack: "r1", Address: "10.90.0.11", BMC: "10.90.0.111", MemoryMiB: 5120, Power: machine.On, SSH: true},
			{Name: "b", Site: "local", Rack: "r2", Address: "10.90.0.12", BMC: "10.90.0.112", MemoryMiB: 5120, Power: machine.Off},
		},
		Partitions: []network.Cut{{A: "a", B: "r2"}},
	}
	var b bytes.Buffer
	if err := printStatus(&b, s); err != nil {
		t.Fatal(err)
	}
	want := `HOST   SITE    RACK   ADDRESS      BMC           MEMORY   POWER   SSH
a      local   r1     10.90.0.11   10.90.0.111   5120Mi   On      yes
b      local   r2     10.90.0.12   10.90.0.112   5120Mi   Off     -

Partition:  a | r2
Daemon:     running, pid 7
Registry:   https://10.90.0.1:5000 (site local, read-only)
Push to:    http://127.0.0.1:4000
Objects:    https://10.90.0.1:9000 (site local, S3, bucket spine)
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &b, want)
	}
}

func TestRackFlagReachesEveryCommand(t *testing.T) {
	root := newRoot()
	for _, c := range root.Commands() {
		if c.InheritedFlags().Lookup("rack") == nil {
			t.Errorf("%s takes no --rack", c.Name())
		}
	}
}

func TestShow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := show(t.Context(), &bytes.Buffer{}, path, false); err == nil || !strings.Contains(err.Error(), "nothing logged yet") {
		t.Errorf("a log that is not there: %v", err)
	}
	if err := os.WriteFile(path, []byte("line\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := show(t.Context(), &b, path, false); err != nil || b.String() != "line\n" {
		t.Errorf("%q, %v", &b, err)
	}
}
