// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
	"spine.nhs.uk/controlplane/hack/rack/internal/paths"
)

func TestFront(t *testing.T) {
	var got []string
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Method+" "+r.URL.RequestURI())
		io.WriteString(w, "blob")
	}))
	defer backend.Close()
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	address := func(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }
	cases := map[string]struct {
		method, backend, path string
		status                int
		body                  string
	}{
		"read":               {"GET", address(backend), "/v2/spine/etcd/blobs/sha256:x?ns=y", 200, "blob"},
		"look":               {"HEAD", address(backend), "/v2/", 200, ""},
		"push":               {"POST", address(backend), "/v2/spine/etcd/blobs/uploads/", 405, "read-only"},
		"overwrite":          {"PUT", address(backend), "/v2/spine/etcd/manifests/v1", 405, "read-only"},
		"delete":             {"DELETE", address(backend), "/v2/spine/etcd/manifests/v1", 405, "read-only"},
		"registry is dead":   {"GET", address(dead), "/v2/", 502, "does not answer"},
		"registry not built": {"GET", "", "/v2/", 503, "go run ./hack/tools build registry"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got = nil
			front := Front(func() string { return c.backend }, slog.New(slog.DiscardHandler))
			w := httptest.NewRecorder()
			front.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) {
				t.Errorf("%d %s, want %d with %q", w.Code, w.Body, c.status, c.body)
			}
			if c.status == 200 && (len(got) != 1 || got[0] != c.method+" "+c.path) {
				t.Errorf("the registry got %v", got)
			}
			if c.status != 200 && len(got) > 0 {
				t.Errorf("a refused request reached the registry: %v", got)
			}
		})
	}
}

func TestConfiguration(t *testing.T) {
	data, err := configuration("127.0.0.1:1234", "/cache/registry/")
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Version float64
		HTTP    struct{ Addr, Secret string }
		Storage struct {
			Filesystem struct{ Rootdirectory string }
		}
	}
	if err := yaml.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	if c.Version != 0.1 || c.HTTP.Addr != "127.0.0.1:1234" || c.HTTP.Secret == "" || c.Storage.Filesystem.Rootdirectory != "/cache/registry" {
		t.Errorf("%+v", c)
	}
}

func TestChoosePort(t *testing.T) {
	c := &Child{Folder: paths.Rack(t.TempDir())}
	first, err := c.choosePort()
	if err != nil {
		t.Fatal(err)
	}
	if err := writePort(c.Folder.RegistryPort(), first); err != nil {
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

// TestChildRestarts runs a registry that dies at once, and waits for its second life.
func TestChildRestarts(t *testing.T) {
	dir := t.TempDir()
	lives := filepath.Join(dir, "lives")
	script := "#!/bin/sh\n[ \"$1\" = serve ] && [ -s \"$2\" ] && echo x >> " + lives + "\n"
	c := &Child{
		Folder: paths.Rack(dir), Binary: filepath.Join(dir, "registry"), Storage: filepath.Join(dir, "storage"),
		Output: io.Discard, Log: slog.New(slog.DiscardHandler),
	}
	if err := os.WriteFile(c.Binary, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	done := make(chan struct{})
	go func() { c.Run(ctx); close(done) }()
	for {
		if data, _ := os.ReadFile(lives); len(data) >= 4 {
			break
		}
		if ctx.Err() != nil {
			t.Fatal("the registry was not started twice")
		}
		pause(ctx, 10*time.Millisecond)
	}
	cancel()
	<-done
	if c.Address() == "" {
		t.Error("no address")
	}
}
