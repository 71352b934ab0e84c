// SPDX-License-Identifier: Apache-2.0

package outer

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spine.nhs.uk/controlplane/hack/rack/internal/network"
)

func settings(t *testing.T, values map[string]string) Settings {
	t.Helper()
	s := Settings{Root: t.TempDir(), Run: filepath.Join(t.TempDir(), "run")}
	values["kernel/random/boot_id"] = "boot-1"
	for key, value := range values {
		path := filepath.Join(s.Root, key)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(value+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func expect(t *testing.T, s Settings, key, want string) {
	t.Helper()
	if got, err := s.get(key); err != nil || got != want {
		t.Errorf("%s = %q, %v, want %q", key, got, err, want)
	}
}

func racks(n int) func() ([]network.Bridge, error) {
	return func() ([]network.Bridge, error) { return make([]network.Bridge, n), nil }
}

func TestSettingsComeBack(t *testing.T) {
	ctx := context.Background()
	s := settings(t, map[string]string{bridgeNF: "1", instances: "128", "kernel/panic": "1"})
	if err := s.Adapt(ctx); err != nil {
		t.Fatal(err)
	}
	// The second rack must not remember what the first one set, while it remembers a setting
	// that has come up since, with a module.
	if err := os.MkdirAll(filepath.Join(s.Root, "vm"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := s.set("vm/panic_on_oom", "2"); err != nil {
		t.Fatal(err)
	}
	if err := s.Adapt(ctx); err != nil {
		t.Fatal(err)
	}
	expect(t, s, bridgeNF, "0")
	expect(t, s, instances, "1024")
	if err := s.set("kernel/panic", "10"); err != nil { // as kubelet does
		t.Fatal(err)
	}
	if err := s.Restore(ctx, racks(1)); err != nil {
		t.Fatal(err)
	}
	expect(t, s, bridgeNF, "0")
	if err := s.Restore(ctx, racks(0)); err != nil {
		t.Fatal(err)
	}
	expect(t, s, bridgeNF, "1")
	expect(t, s, instances, "128")
	expect(t, s, "kernel/panic", "1")
	if left, _ := os.ReadDir(s.Run); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func TestSettingsOfAnotherBoot(t *testing.T) {
	ctx := context.Background()
	s := settings(t, map[string]string{bridgeNF: "1"})
	if err := s.Adapt(ctx); err != nil {
		t.Fatal(err)
	}
	// The machine reboots, and its owner sets something else.
	for key, value := range map[string]string{"kernel/random/boot_id": "boot-2", bridgeNF: "0"} {
		if err := s.set(key, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Restore(ctx, racks(0)); err != nil {
		t.Fatal(err)
	}
	expect(t, s, bridgeNF, "0")
}

func TestSettingsKeepHigherLimits(t *testing.T) {
	s := settings(t, map[string]string{instances: "8192"})
	if err := s.Adapt(context.Background()); err != nil {
		t.Fatal(err)
	}
	expect(t, s, instances, "8192")
}

func TestProblems(t *testing.T) {
	good := Facts{Root: true, AvailableMiB: 20000, FreeMiB: 20000, Overlay: true, Loop: true}
	needs := Needs{MemoryMiB: 15360, DiskMiB: 10240, Home: "/home/x"}
	if got := good.Problems(needs); len(got) > 0 {
		t.Fatalf("problems on a good machine: %v", got)
	}
	bad := Facts{Missing: []string{"systemd-container", "nftables"}, AvailableMiB: 4000, FreeMiB: 100, OnOverlay: true}
	got := bad.Problems(needs)
	want := []string{
		"not root", "apt-get install systemd-container nftables", "modprobe overlay", "modprobe loop",
		"/home/x lies on an overlay", "have 15360 MiB together, 4000 MiB are available", "10240 MiB needed where /home/x lies, 100 MiB are free",
	}
	if len(got) != len(want) {
		t.Fatalf("%d problems, want %d: %v", len(got), len(want), got)
	}
	for i := range want {
		if !strings.Contains(got[i].Error(), want[i]) {
			t.Errorf("problem %d is %q, want %q", i, got[i], want[i])
		}
	}
}

func TestAvailable(t *testing.T) {
	if got, err := availableMiB("MemTotal: 1 kB\nMemAvailable:   23903232 kB\n"); err != nil || got != 23343 {
		t.Errorf("%d, %v", got, err)
	}
	if _, err := availableMiB("MemTotal: 1 kB\n"); err == nil {
		t.Error("accepted a text without MemAvailable")
	}
}

func TestExisting(t *testing.T) {
	dir := t.TempDir()
	if got := existing(filepath.Join(dir, "a", "b")); got != dir {
		t.Errorf("got %s", got)
	}
}
