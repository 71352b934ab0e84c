// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

// These tests apply to a real API server, which they start on loopback from the tools
// that hack/tools builds: go test -tags apiserver ./infra/provider/kubernetes
package kubernetes

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// startAPIServer runs etcd and kube-apiserver until the test ends and returns a kubeconfig.
// There are no controllers: nothing becomes ready, and no namespace finishes deleting.
func startAPIServer(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	etcd, peer, api := freePort(t), freePort(t), freePort(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	keyFile, tokens := filepath.Join(dir, "sa.key"), filepath.Join(dir, "tokens.csv")
	write(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	write(t, tokens, []byte("t,admin,admin,system:masters\n"))
	run(t, dir, "etcd", "--data-dir", filepath.Join(dir, "etcd"), "--unsafe-no-fsync",
		"--listen-client-urls", "http://"+etcd, "--advertise-client-urls", "http://"+etcd,
		"--listen-peer-urls", "http://"+peer, "--initial-advertise-peer-urls", "http://"+peer, "--initial-cluster", "default=http://"+peer)
	_, port, _ := net.SplitHostPort(api)
	run(t, dir, "kube-apiserver", "--etcd-servers", "http://"+etcd, "--secure-port", port, "--bind-address", "127.0.0.1",
		"--cert-dir", dir, "--token-auth-file", tokens, "--authorization-mode", "RBAC", "--service-cluster-ip-range", "10.96.0.0/16",
		"--service-account-issuer", "https://test", "--service-account-key-file", keyFile, "--service-account-signing-key-file", keyFile)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		// The server signs its own certificate; its chain is the authority to trust.
		ca, err := os.ReadFile(filepath.Join(dir, "apiserver.crt"))
		if err == nil {
			kubeconfig := fmt.Sprintf(`{"apiVersion":"v1","kind":"Config","current-context":"x",
"contexts":[{"name":"x","context":{"cluster":"x","user":"x"}}],
"clusters":[{"name":"x","cluster":{"server":"https://%s","certificate-authority-data":%q}}],
"users":[{"name":"x","user":{"token":"t"}}]}`, api, base64.StdEncoding.EncodeToString(ca))
			c, err := connectCluster(kubeconfig)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.reach(ctx, time.Minute); err == nil {
				return kubeconfig
			}
		}
		select {
		case <-ctx.Done():
			t.Fatal("kube-apiserver did not answer within a minute; its log is in " + dir)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// run starts a tool from the cache; it ends with the test.
func run(t *testing.T, dir, tool string, args ...string) {
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
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = log.Close()
	})
}
