// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

func TestRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pid")
	me, err := Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	stale, reboot, other := me, me, me
	stale.StartTicks++
	reboot.Boot = "another boot"
	other.PID = 1 << 30
	cases := map[string]struct {
		record Record
		alive  bool
	}{
		"this process":                  {me, true},
		"its pid, taken by another":     {stale, false},
		"its pid, of an earlier boot":   {reboot, false},
		"a pid that no process has":     {other, false},
		"no process at all (pid zero)":  {Record{}, false},
		"every process (pid minus one)": {Record{PID: -1}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if err := c.record.Write(path); err != nil {
				t.Fatal(err)
			}
			if _, alive := Read(path); alive != c.alive {
				t.Errorf("alive = %v", alive)
			}
		})
	}
}

func TestReadDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pid")
	if _, alive := Read(path); alive {
		t.Error("a missing file is alive")
	}
	if err := os.WriteFile(path, []byte("123\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, alive := Read(path); alive {
		t.Error("a damaged file is alive")
	}
}

func TestAliveEndsWithProcess(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r, err := Of(cmd.Process.Pid)
	if err != nil || !r.Alive() {
		t.Fatalf("%v, alive %v", err, r.Alive())
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if r.Alive() {
		t.Error("alive after its end")
	}
}

func TestParseStat(t *testing.T) {
	tail := " 1 1 1 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 777 1 1"
	cases := map[string]struct {
		stat string
		want uint64
		ok   bool
	}{
		"plain":              {"12 (rack) S" + tail, 777, true},
		"odd command":        {"12 (a) S 1 ) x) R" + tail, 777, true},
		"zombie":             {"12 (rack) Z" + tail, 0, false},
		"no command":         {"12 rack S" + tail, 0, false},
		"cut short":          {"12 (rack) S 1 1", 0, false},
		"start not a number": {"12 (rack) S 1 1 1 0 -1 4 1 0 0 0 1 1 0 0 20 0 1 0 x 1", 0, false},
	}
	for name, c := range cases {
		if got, err := parseStat(c.stat); got != c.want || (err == nil) != c.ok {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add("12 (rack) S 1 1 1 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 777 1 1")
	f.Add(")")
	f.Fuzz(func(t *testing.T, stat string) { _, _ = parseStat(stat) })
}

func TestLock(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "dir", "lock")
	first, err := Acquire(ctx, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 2*lockPoll)
	defer cancel()
	told := 0
	if _, err := Acquire(short, path, func() { told++ }); !errors.Is(err, context.DeadlineExceeded) || told != 1 {
		t.Fatalf("second holder: %v, told %d times", err, told)
	}
	got := make(chan error, 1)
	go func() {
		second, err := Acquire(ctx, path, nil)
		if err == nil {
			second.Remove()
		}
		got <- err
	}()
	first.Remove()
	select {
	case err := <-got:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the lock was not passed on")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the lock's file is still there")
	}
}
