// SPDX-License-Identifier: Apache-2.0

package child

import (
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestChoosePort(t *testing.T) {
	c := &Child{PortFile: filepath.Join(t.TempDir(), "port")}
	first, err := c.choosePort()
	if err != nil {
		t.Fatal(err)
	}
	if err := writePort(c.PortFile, first); err != nil {
		t.Fatal(err)
	}
	if again, err := c.choosePort(); err != nil || again != first {
		t.Errorf("got %d, want %d again, %v", again, first, err)
	}
	taken, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: first})
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if other, err := c.choosePort(); err != nil || other == first {
		t.Errorf("got %d, which is taken, %v", other, err)
	}
}

// TestRestarts runs a server that dies at once, and waits for its second life.
func TestRestarts(t *testing.T) {
	dir := t.TempDir()
	lives := filepath.Join(dir, "lives")
	c := &Child{
		Name: "server", Binary: filepath.Join(dir, "server"), PortFile: filepath.Join(dir, "port"),
		Prepare: func(address string) ([]string, error) { return []string{address, lives}, nil },
		Env:     []string{"GREETING=hello"}, Output: io.Discard, Log: slog.New(slog.DiscardHandler),
	}
	if err := os.WriteFile(c.Binary, []byte("#!/bin/sh\necho \"$GREETING $1\" >> \"$2\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	done := make(chan struct{})
	go func() { c.Run(ctx); close(done) }()
	var got string
	for strings.Count(got, "\n") < 2 {
		if ctx.Err() != nil {
			t.Fatal("the server was not started twice")
		}
		pause(ctx, 10*time.Millisecond)
		data, _ := os.ReadFile(lives)
		got = string(data)
	}
	cancel()
	<-done
	if c.Address() == "" {
		t.Error("no address")
	}
	if want := strings.Repeat("hello "+c.Address()+"\n", 2); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
