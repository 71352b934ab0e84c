// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestDialErrors(t *testing.T) {
	signer, private := newKey(t)
	s := newServer(t, signer.PublicKey())
	good := writeKey(t, private, "")
	locked := writeKey(t, private, "sesame")
	_, otherPrivate := newKey(t)
	other := writeKey(t, otherPrivate, "")
	otherHost, _ := newKey(t)
	wrongFile := filepath.Join(t.TempDir(), "passphrase")
	if err := os.WriteFile(wrongFile, []byte("wrong\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	tests := map[string]struct {
		change func(*Target)
		env    map[string]string
		is     func(error) bool
		says   []string
	}{
		"right key":                 {is: func(err error) bool { return err == nil }},
		"passphrase":                {change: func(x *Target) { x.IdentityFile = locked }, env: map[string]string{passphraseEnv: "sesame"}, is: func(err error) bool { return err == nil }},
		"identity from environment": {change: func(x *Target) { x.IdentityFile = other }, env: map[string]string{identityEnv: good}, is: func(err error) bool { return err == nil }},
		"no passphrase":             {change: func(x *Target) { x.IdentityFile = locked }, is: IsAuthFailed, says: []string{"host a", locked, passphraseEnv}},
		"wrong passphrase":          {change: func(x *Target) { x.IdentityFile = locked }, env: map[string]string{passphraseFileEnv: wrongFile}, is: IsAuthFailed, says: []string{"does not open", passphraseFileEnv}},
		"key not authorized":        {change: func(x *Target) { x.IdentityFile = other }, is: IsAuthFailed, says: []string{"refused", other, "authorized_keys"}},
		"no key at all":             {change: func(x *Target) { x.IdentityFile = "" }, is: IsAuthFailed, says: []string{identityEnv}},
		"no such key file":          {change: func(x *Target) { x.IdentityFile = "/no/such/key" }, is: IsAuthFailed, says: []string{"/no/such/key"}},
		"another host key":          {change: func(x *Target) { x.HostKey = authorizedKey(otherHost) }, is: IsHostKeyMismatch, says: []string{"host a", "SHA256:", "ssh.hostKey"}},
		"nothing listens":           {change: func(x *Target) { x.Port = closedPort(t) }, is: IsUnreachable, says: []string{"host a", "powered on"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			target := s.target(good)
			if test.change != nil {
				test.change(&target)
			}
			host, err := client(test.env).Dial(t.Context(), target)
			if err == nil {
				host.Close()
			}
			if !test.is(err) {
				t.Fatalf("unexpected error %T: %v", err, err)
			}
			for _, part := range test.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
			if err != nil && strings.Contains(err.Error(), "sesame") {
				t.Errorf("error repeats the passphrase: %v", err)
			}
		})
	}
}

func closedPort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// A machine that accepts the connection and then says nothing must not hold us
// beyond ctx.
func TestDialSilentHost(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	key, private := newKey(t)
	target := Target{Name: "a", Address: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, User: "root", HostKey: authorizedKey(key), IdentityFile: writeKey(t, private, "")}

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := client(nil).Dial(ctx, target); !IsUnreachable(err) {
		t.Errorf("expected unreachable, got %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if _, err := client(nil).Dial(ctx, target); !errors.Is(err, context.Canceled) {
		t.Errorf("expected a cancellation to stay one, got %v", err)
	}
}

func TestIdentityPath(t *testing.T) {
	tests := map[string]struct {
		file string
		env  map[string]string
		want string
	}{
		"home":                {file: "~/.ssh/id", want: "/home/somebody/.ssh/id"},
		"absolute":            {file: "/keys/id", want: "/keys/id"},
		"spine home":          {file: "~/.local/share/spine/racks/local/id", env: map[string]string{homeEnv: "/srv/spine"}, want: "/srv/spine/racks/local/id"},
		"spine home not used": {file: "~/.ssh/id", env: map[string]string{homeEnv: "/srv/spine"}, want: "/home/somebody/.ssh/id"},
		"environment first":   {file: "/keys/id", env: map[string]string{identityEnv: "~/other"}, want: "/home/somebody/other"},
		"none":                {want: ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := client(test.env).identities.path(Target{IdentityFile: test.file})
			if err != nil || got != test.want {
				t.Errorf("got %q, %v, want %q", got, err, test.want)
			}
		})
	}
}

func FuzzParseHostKey(f *testing.F) {
	signer, _ := newKey(f)
	for _, seed := range []string{authorizedKey(signer), authorizedKey(signer) + " root@a", "", "ssh-ed25519", "ssh-ed25519 AAAA", "no-pty " + authorizedKey(signer), "ssh-rsa" + strings.TrimPrefix(authorizedKey(signer), "ssh-ed25519"), authorizedKey(signer) + "\nssh-ed25519 AAAA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		key, err := ParseHostKey(s)
		if err == nil && !strings.Contains(s, key.Type()) {
			t.Errorf("%q was read as a key of type %s", s, key.Type())
		}
	})
}
