// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "remote")
	if err != nil {
		panic(err)
	}
	runFolder = folder
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// newKey returns a fresh signer with its private key.
func newKey(t testing.TB) (ssh.Signer, ed25519.PrivateKey) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer, private
}

// server is an SSH server on the loopback that runs shells of this machine.
type server struct {
	hostKey  ssh.Signer
	listener net.Listener
	// bin is put first in PATH, to stand in for commands.
	bin string
}

func newServer(t *testing.T, authorized ssh.PublicKey) *server {
	t.Helper()
	hostKey, _ := newKey(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{hostKey: hostKey, listener: listener, bin: t.TempDir()}
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if string(key.Marshal()) == string(authorized.Marshal()) {
			return nil, nil
		}
		return nil, io.EOF
	}}
	config.AddHostKey(hostKey)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(conn, config)
		}
	}()
	return s
}

func (s *server) serve(conn net.Conn, config *ssh.ServerConfig) {
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for c := range channels {
		channel, requests, err := c.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range requests {
				r.Reply(r.Type == "exec", nil)
				if r.Type == "exec" {
					go s.run(channel, string(r.Payload[4:]))
				}
			}
		}()
	}
}

func (s *server) run(channel ssh.Channel, command string) {
	defer channel.Close()
	cmd := exec.Command("sh", "-c", command)
	cmd.Env = append(os.Environ(), "PATH="+s.bin+":"+os.Getenv("PATH"))
	cmd.Stdout, cmd.Stderr = channel, channel.Stderr()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return
	}
	go func() {
		io.Copy(stdin, channel)
		stdin.Close()
	}()
	code := byte(0)
	if err := cmd.Run(); err != nil {
		code = byte(cmd.ProcessState.ExitCode())
	}
	channel.SendRequest("exit-status", false, []byte{0, 0, 0, code})
}

func (s *server) target(identityFile string) Target {
	host, port, _ := net.SplitHostPort(s.listener.Addr().String())
	number, _ := strconv.Atoi(port)
	return Target{Name: "a", Address: host, Port: number, User: "root", HostKey: authorizedKey(s.hostKey), IdentityFile: identityFile}
}

func authorizedKey(s ssh.Signer) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.PublicKey())))
}

// writeKey stores a private key, protected when passphrase is not empty.
func writeKey(t *testing.T, private ed25519.PrivateKey, passphrase string) string {
	t.Helper()
	var block *pem.Block
	var err error
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(private, "")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// client looks only at the given variables.
func client(env map[string]string) *Client {
	return &Client{identities: identities{
		getenv:  func(k string) string { return env[k] },
		homeDir: func() (string, error) { return "/home/somebody", nil },
	}}
}
