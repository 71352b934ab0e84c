// SPDX-License-Identifier: Apache-2.0

package objectstore

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spine.nhs.uk/controlplane/hack/rack/internal/paths"
)

// quiet is a log that nobody reads.
var quiet = slog.New(slog.DiscardHandler)

// TestFrontKeepsWhatIsSigned: a store that got another host, path or query would refuse the signature.
func TestFrontKeepsWhatIsSigned(t *testing.T) {
	type request struct{ Method, Host, URI, Sum, Encoding, Accept string }
	var got request
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.New()
		_, _ = io.Copy(sum, r.Body)
		got = request{
			r.Method, r.Host, r.RequestURI, fmt.Sprintf("%x", sum.Sum(nil)), strings.Join(r.TransferEncoding, " "),
			r.Header.Get("Accept-Encoding"),
		}
	}))
	defer backend.Close()
	front := httptest.NewTLSServer(Front(func() string { return strings.TrimPrefix(backend.URL, "http://") }, quiet))
	defer front.Close()
	front.Client().Transport.(*http.Transport).DisableCompression = true
	body := strings.Repeat("0123456789abcdef", 1<<19)
	for name, c := range map[string]struct {
		method, uri, body, encoding string
		// sized says that the client knows how long the body is.
		sized bool
	}{
		"put":             {"PUT", "/spine/main/wals/0000000100000000/000000010000000000000001.gz", body, "", true},
		"put in chunks":   {"PUT", "/spine/main/base/data.tar", body, "chunked", false},
		"part":            {"PUT", "/spine/a?partNumber=2&uploadId=x%2By", body, "", true},
		"escaped in path": {"GET", "/spine/a%2Fb%20c+d", "", "", true},
		"list":            {"GET", "/spine?list-type=2&prefix=main%2Fbase%2F&delimiter=%2F", "", "", true},
		"delete":          {"DELETE", "/spine/a", "", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			var reader io.Reader = strings.NewReader(c.body)
			if !c.sized {
				reader = io.MultiReader(reader)
			}
			req, err := http.NewRequestWithContext(t.Context(), c.method, front.URL+c.uri, reader)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = "10.90.0.1:9000"
			req.Header.Set("Expect", "100-continue")
			resp, err := front.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			want := request{c.method, "10.90.0.1:9000", c.uri, fmt.Sprintf("%x", sha256.Sum256([]byte(c.body))), c.encoding, ""}
			if got != want {
				t.Errorf("the store got %+v, want %+v", got, want)
			}
		})
	}
}

func TestFrontWithoutStore(t *testing.T) {
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	for name, c := range map[string]struct{ backend, want string }{
		"dead":      {strings.TrimPrefix(dead.URL, "http://"), "being started again"},
		"not built": {"", "go run ./hack/tools build objectstore"},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			Front(func() string { return c.backend }, quiet).ServeHTTP(w, httptest.NewRequest("GET", "/spine", nil))
			if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "<Code>ServiceUnavailable</Code>") ||
				!strings.Contains(w.Body.String(), c.want) {
				t.Errorf("%d %s, want %q", w.Code, w.Body, c.want)
			}
		})
	}
}

func TestCredentialsStay(t *testing.T) {
	folder := paths.Rack(t.TempDir())
	var first string
	for range 2 {
		if err := EnsureCredentials(folder); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(folder.ObjectStore())
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = string(data)
		}
		if string(data) != first {
			t.Error("another account the second time")
		}
	}
	var c Credentials
	if err := json.Unmarshal([]byte(first), &c); err != nil || len(c.AccessKey) < 16 || len(c.SecretKey) < 16 || c.AccessKey == c.SecretKey {
		t.Errorf("%q, %v", first, err)
	}
	if info, err := os.Stat(folder.ObjectStore()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// TestPrepare: what is stored stays over a restart, and no secret is among the arguments.
func TestPrepare(t *testing.T) {
	folder := paths.Rack(t.TempDir())
	if err := EnsureCredentials(folder); err != nil {
		t.Fatal(err)
	}
	object := filepath.Join(folder.Objects(), "buckets", Bucket("here", 1), "object")
	for i := range 2 {
		args, err := Child(folder, []string{Bucket("here", 1), Bucket("there", 2)}, "/cache", io.Discard, quiet).Prepare("127.0.0.1:1234")
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"-listen", "127.0.0.1:1234", "-credentials", folder.ObjectStore(),
			"-buckets", filepath.Join(folder.Objects(), "buckets"), "-metadata", filepath.Join(folder.Objects(), "metadata"),
		}
		if !slices.Equal(args, want) {
			t.Errorf("got %q", args)
		}
		if i == 0 {
			if err := os.WriteFile(object, []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if data, err := os.ReadFile(object); err != nil || string(data) != "x" {
		t.Errorf("%q, %v", data, err)
	}
}
