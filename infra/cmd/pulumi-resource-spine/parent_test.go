// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const childEnv = "SPINE_TEST_CHILD"

// TestMain plays the provider when it is started as one.
func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		os.Exit(m.Run())
	}
	fmt.Println(os.Getpid())
	exitWithParent(context.Background(), os.Getppid())
}

func TestExitWithParent(t *testing.T) {
	// The shell is the parent: it starts us in the background and waits for
	// its death.
	parent := exec.Command("sh", "-c", `"$0" & read -r never`, os.Args[0])
	parent.Env = append(os.Environ(), childEnv+"=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := parent.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 32)
	n, err := out.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(buf[:n])))
	if err != nil {
		t.Fatal(err)
	}
	// It lives while the parent does: two checks go by.
	time.Sleep(1200 * time.Millisecond)
	if err := syscall.Kill(child, 0); err != nil {
		t.Fatalf("the child ended before its parent: %v", err)
	}
	parent.Process.Kill()
	// The pipe closes when its last holder, the child, is gone.
	gone := make(chan struct{})
	go func() {
		out.Read(buf)
		close(gone)
	}()
	select {
	case <-gone:
	case <-time.After(10 * time.Second):
		syscall.Kill(child, syscall.SIGKILL)
		t.Fatal("the child outlived its parent by 10 s")
	}
	parent.Wait()
}
