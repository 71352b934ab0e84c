// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// host is a live SSH connection.
type host struct {
	target   Target
	client   *ssh.Client
	sessions chan struct{}
	once     sync.Once
	dead     chan struct{}
}

// shell reads the script from standard input. Only root may do what scripts
// do; another user goes through sudo without a password.
func (h *host) shell() string {
	if h.target.User == "root" {
		return "LC_ALL=C exec sh -s"
	}
	return "exec sudo -n env LC_ALL=C sh -s"
}

func (h *host) Run(ctx context.Context, script string) (Result, error) {
	var stdout bytes.Buffer
	code, stderr, err := h.exec(ctx, strings.NewReader(script), &stdout)
	result := Result{Stdout: stdout.String(), Stderr: stderr, ExitCode: code}
	if err == nil && code != 0 {
		err = &ExitError{Host: h.target.Name, Script: Summary(script), Code: code, Stderr: stderr}
	}
	return result, err
}

// exec runs a shell that reads stdin and returns its exit code.
func (h *host) exec(ctx context.Context, stdin io.Reader, stdout io.Writer) (code int, stderr string, err error) {
	select {
	case h.sessions <- struct{}{}:
		defer func() { <-h.sessions }()
	case <-ctx.Done():
		return 0, "", ctx.Err()
	}
	session, err := h.client.NewSession()
	if err != nil {
		return 0, "", h.lost(ctx, err)
	}
	defer session.Close()
	// The library reads stdin to its end before Wait returns: closing the
	// session is the way to stop.
	stop := context.AfterFunc(ctx, func() { session.Close() })
	defer stop()
	var errText bytes.Buffer
	session.Stdin, session.Stdout, session.Stderr = stdin, stdout, &errText
	err = session.Run(h.shell())
	var exit *ssh.ExitError
	switch {
	case err == nil:
		return 0, errText.String(), nil
	case errors.As(err, &exit):
		return exit.ExitStatus(), errText.String(), nil
	}
	return 0, errText.String(), h.lost(ctx, err)
}

func (h *host) lost(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &UnreachableError{Host: h.target.Name, Address: h.target.Address, Err: fmt.Errorf("connection lost: %w", err)}
}

func (h *host) Upload(ctx context.Context, file string, content []byte, mode fs.FileMode) error {
	_, err := h.Run(ctx, UploadScript(file, content, mode))
	return err
}

// UploadScript writes content to file the way Upload does. It is for scripts
// that write several files in one go.
func UploadScript(file string, content []byte, mode fs.FileMode) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# write %s\nset -eu\numask 077\nmkdir -p -m 0755 %s\n", file, Quote(path.Dir(file)))
	fmt.Fprintf(&b, "tmp=$(mktemp %s)\n", Quote(path.Join(path.Dir(file), ".spine.XXXXXX")))
	fmt.Fprintf(&b, "base64 -d >\"$tmp\" <<'END'\n%s\nEND\n", wrap(base64.StdEncoding.EncodeToString(content)))
	// Without sync a power cut after the rename can leave an empty file.
	fmt.Fprintf(&b, "chmod %04o \"$tmp\"\nsync \"$tmp\"\nmv -f \"$tmp\" %s\n", mode.Perm(), Quote(file))
	return b.String()
}

// Quote makes s one word of a shell script.
func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// wrap breaks base64 text into lines, as shells read here-documents by line.
func wrap(s string) string {
	const width = 76
	var b strings.Builder
	for len(s) > width {
		b.WriteString(s[:width])
		b.WriteByte('\n')
		s = s[width:]
	}
	b.WriteString(s)
	return b.String()
}

// keepAlive closes the connection once the host is silent, so that no step
// waits for ever on a machine that lost power.
func (h *host) keepAlive() {
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		select {
		case <-h.dead:
			return
		case <-tick.C:
		}
		answered := make(chan error, 1)
		go func() {
			_, _, err := h.client.SendRequest("keepalive@openssh.com", true, nil)
			answered <- err
		}()
		select {
		case err := <-answered:
			if err == nil {
				continue
			}
		case <-time.After(deadAfter * keepAlive):
		case <-h.dead:
			return
		}
		h.client.Close()
		return
	}
}

func (h *host) Close() error {
	h.once.Do(func() { close(h.dead) })
	if err := h.client.Close(); err != nil && !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "closed network connection") {
		return err
	}
	return nil
}
