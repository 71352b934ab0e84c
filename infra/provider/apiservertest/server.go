// SPDX-License-Identifier: Apache-2.0

// Package apiservertest starts a real kube-apiserver for tests, on loopback, from the tools
// that hack/tools builds.
package apiservertest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Server is a kube-apiserver with an etcd of its own. There are no controllers: nothing
// becomes ready, and no namespace finishes deleting.
type Server struct {
	// URL is where it answers, Authority the PEM text of the authority of its certificate.
	URL       string
	Authority []byte
	// Token is an administrator's.
	Token string
}

// tries of Start, each with other ports: between the choice of a port and its use somebody else may
// have taken it, and the program that finds it taken ends.
const tries = 5

// Start runs etcd and kube-apiserver until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	for i := range tries {
		dir := t.TempDir()
		s, ended := begin(t, dir)
		err := s.await(t, dir, ended)
		if err == nil {
			return s
		}
		if i == tries-1 || !errors.Is(err, errEnded) {
			t.Fatalf("kube-apiserver: %v%s%s", err, last(dir, "etcd"), last(dir, "kube-apiserver"))
		}
	}
	return nil
}

// errEnded: one of the programs is not there any more.
var errEnded = errors.New("it has ended, or its etcd has")

// last words of a program: its folder goes with the test.
func last(dir, tool string) string {
	const most = 1500
	text, err := os.ReadFile(filepath.Join(dir, tool+".log"))
	if err != nil {
		return "\n" + err.Error()
	}
	return "\n" + tool + ": ..." + string(text[max(0, len(text)-most):])
}

// begin starts both, and tells when one of them ends.
func begin(t testing.TB, dir string) (*Server, <-chan struct{}) {
	t.Helper()
	etcd, peer, api := freePort(t), freePort(t), freePort(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{URL: "https://" + api, Token: "t"}
	keyFile, tokens := filepath.Join(dir, "sa.key"), filepath.Join(dir, "tokens.csv")
	write(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	write(t, tokens, []byte(s.Token+",admin,admin,system:masters\n"))
	ended := make(chan struct{}, 2)
	run(t, ended, dir, "etcd", "--data-dir", filepath.Join(dir, "etcd"), "--unsafe-no-fsync",
		"--listen-client-urls", "http://"+etcd, "--advertise-client-urls", "http://"+etcd,
		"--listen-peer-urls", "http://"+peer, "--initial-advertise-peer-urls", "http://"+peer, "--initial-cluster", "default=http://"+peer)
	_, port, _ := net.SplitHostPort(api)
	run(t, ended, dir, "kube-apiserver", "--etcd-servers", "http://"+etcd, "--secure-port", port, "--bind-address", "127.0.0.1",
		"--cert-dir", dir, "--token-auth-file", tokens, "--authorization-mode", "RBAC", "--service-cluster-ip-range", "10.96.0.0/16",
		"--service-account-issuer", "https://test", "--service-account-key-file", keyFile, "--service-account-signing-key-file", keyFile)
	return s, ended
}

// await waits until the server answers an administrator, three minutes at most: machines of builders are busy.
func (s *Server) await(t testing.TB, dir string, ended <-chan struct{}) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for {
		// The server signs its own certificate; its chain is the authority to trust.
		authority, err := os.ReadFile(filepath.Join(dir, "apiserver.crt"))
		if s.Authority = authority; err == nil && s.ready(ctx) {
			return nil
		}
		select {
		case <-ended:
			return errEnded
		case <-ctx.Done():
			return errors.New("it did not answer within three minutes")
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (s *Server) ready(ctx context.Context) bool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.Authority)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/api/v1/namespaces/kube-system", nil)
	if err != nil {
		return false
	}
	request.Header.Set("Authorization", "Bearer "+s.Token)
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return false
	}
	return answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
}

// Kubeconfig is an administrator's.
func (s *Server) Kubeconfig() string {
	return fmt.Sprintf(`{"apiVersion":"v1","kind":"Config","current-context":"x",
"contexts":[{"name":"x","context":{"cluster":"x","user":"x"}}],
"clusters":[{"name":"x","cluster":{"server":%q,"certificate-authority-data":%q}}],
"users":[{"name":"x","user":{"token":%q}}]}`, s.URL, base64.StdEncoding.EncodeToString(s.Authority), s.Token)
}

func write(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// run starts a tool from the cache; it ends with the test. That it has ended before is told.
func run(t testing.TB, ended chan<- struct{}, dir, tool string, args ...string) {
	t.Helper()
	cache := os.Getenv("SPINE_CACHE")
	if cache == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(base, "spine")
	}
	log, err := os.Create(filepath.Join(dir, tool+".log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(cache, "bin", tool), args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v: build it with `make tools`", tool, err)
	}
	gone := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(gone)
		ended <- struct{}{}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-gone
		_ = log.Close()
	})
}
