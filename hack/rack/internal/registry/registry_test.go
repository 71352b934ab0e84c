// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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

func TestPrepare(t *testing.T) {
	folder, cache := paths.Rack(t.TempDir()), t.TempDir()
	args, err := Child(folder, cache, io.Discard, slog.New(slog.DiscardHandler)).Prepare("127.0.0.1:1234")
	if err != nil || !slices.Equal(args, []string{"serve", folder.RegistryConfig()}) {
		t.Errorf("%q, %v", args, err)
	}
	if info, err := os.Stat(folder.RegistryConfig()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the configuration: %v, %v", info, err)
	}
	if info, err := os.Stat(filepath.Join(cache, "registry")); err != nil || !info.IsDir() {
		t.Errorf("the folder of the blobs: %v, %v", info, err)
	}
}
