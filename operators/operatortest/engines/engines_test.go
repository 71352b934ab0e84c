// SPDX-License-Identifier: Apache-2.0

//go:build engines

package engines

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	amqp "github.com/rabbitmq/amqp091-go"
)

func TestPostgresKeepsWhatWasCommittedWhenKilled(t *testing.T) {
	s := PostgresServer(t)
	execute(t, s.URL, "CREATE TABLE x (n int)", "INSERT INTO x VALUES (42)")
	s.Kill()
	if _, err := pgx.Connect(t.Context(), s.URL); err == nil {
		t.Fatal("it still answers")
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), s.URL)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	var version, sync string
	if err := conn.QueryRow(t.Context(), "SELECT n, current_setting('server_version_num'), current_setting('fsync') FROM x").Scan(&n, &version, &sync); err != nil {
		t.Fatal(err)
	}
	if n != 42 || !strings.HasPrefix(version, "17") || sync != "on" {
		t.Errorf("row %d, version %s, fsync %s", n, version, sync)
	}
	// An open session does not hold it up.
	s.Stop()
	if err := s.Wipe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	execute(t, s.URL, "CREATE TABLE x (n int)")
}

func execute(t *testing.T, url string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, s := range statements {
		if _, err := conn.Exec(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRabbitMQKeepsWhatWasConfirmedWhenKilled(t *testing.T) {
	s, beside := RabbitMQServer(t), RabbitMQ(t)
	if s.URL == beside {
		t.Fatal("two servers have one address")
	}
	if _, err := open(t, s.URL).QueueDeclare("q", true, false, false, false, amqp.Table{"x-queue-type": "quorum"}); err != nil {
		t.Fatal(err)
	}
	// A queue that was declared a moment before a kill may come back broken: its
	// name is written to disk late.
	s.Stop()
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	channel := open(t, s.URL)
	if err := channel.Confirm(false); err != nil {
		t.Fatal(err)
	}
	confirm, err := channel.PublishWithDeferredConfirmWithContext(t.Context(), "", "q", true, false, amqp.Publishing{DeliveryMode: amqp.Persistent, Body: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := confirm.WaitContext(t.Context()); !ok || err != nil {
		t.Fatalf("confirmed %t, %v", ok, err)
	}
	s.Kill()
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := open(t, s.URL).Get("q", true); !ok || err != nil {
		t.Errorf("got a message %t, %v", ok, err)
	}
	s.Stop()
}

func open(t *testing.T, url string) *amqp.Channel {
	t.Helper()
	conn, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	channel, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return channel
}

func TestNoEngines(t *testing.T) {
	for _, dir := range []string{"", "/nowhere"} {
		t.Setenv(Variable, dir)
		_, err := StartPostgres(t.Context(), Options{Dir: t.TempDir()})
		if !errors.Is(err, ErrNoEngines) || !strings.Contains(err.Error(), "go run ./hack/images engines") {
			t.Errorf("%q: got %v", dir, err)
		}
	}
}

func TestStartSaysWhyItEnded(t *testing.T) {
	s := PostgresServer(t)
	s.Stop()
	if err := os.WriteFile(filepath.Join(s.data(), "pg", "postgresql.conf"), []byte("fsync = perhaps\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err == nil || !strings.Contains(err.Error(), `parameter "fsync" requires a Boolean value`) {
		t.Errorf("got %v", err)
	}
}

// TestDiesWithItsParent runs itself, kills that, and looks for what it left.
func TestDiesWithItsParent(t *testing.T) {
	const variable = "ENGINES_TEST_PARENT"
	if dir := os.Getenv(variable); dir != "" {
		s, err := StartPostgres(context.Background(), Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "url"), []byte(s.URL), 0o644); err != nil {
			t.Fatal(err)
		}
		select {}
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDiesWithItsParent$")
	cmd.Env = append(os.Environ(), variable+"="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var url []byte
	wait(t, "the server to start", func() bool {
		url, _ = os.ReadFile(filepath.Join(dir, "url"))
		return len(url) > 0
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	wait(t, "the server to end", func() bool {
		conn, err := pgx.Connect(t.Context(), string(url))
		if err == nil {
			_ = conn.Close(t.Context())
		}
		return err != nil
	})
}

func wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), readyLimit)
	defer cancel()
	for !done() {
		if ctx.Err() != nil {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
