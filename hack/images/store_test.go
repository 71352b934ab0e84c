// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"spine.nhs.uk/controlplane/environments"
)

// twoImages share a layer.
func twoImages(t *testing.T, content string) []Image {
	t.Helper()
	shared := Layer{{Path: "/bin/all", Source: source(t, content, time.Unix(1e9, 0)), Mode: 0o755}}
	return []Image{
		{Name: "host", Tag: "v1", Layers: []Layer{shared}},
		{Name: "proxy", Tag: "v1", Layers: []Layer{{scratch}, shared}, Entrypoint: []string{"/bin/all"}, User: nobody},
	}
}

// stored are two images, in a store of the test's own.
func stored(t *testing.T) (*store, []Built) {
	t.Helper()
	s, err := openStore(filepath.Join(t.TempDir(), "images"))
	if err != nil {
		t.Fatal(err)
	}
	built, err := s.save(twoImages(t, "program"))
	if err != nil {
		t.Fatal(err)
	}
	return s, built
}

// answering is a registry that answers, until the test ends it, and how it is reached.
func answering(t *testing.T, handler http.HandlerFunc) (*httptest.Server, target) {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server, target{Registry: strings.TrimPrefix(server.URL, "http://"), PlainHTTP: true}
}

func TestSaveIsReproducibleAndWhole(t *testing.T) {
	var digests []string
	for range 2 {
		s, built := stored(t)
		for _, b := range built {
			digests = append(digests, b.Digest)
			hash, err := v1.NewHash(b.Digest)
			if err != nil {
				t.Fatal(err)
			}
			image, err := s.path.Image(hash)
			if err != nil {
				t.Fatal(err)
			}
			if err := validate.Image(image); err != nil {
				t.Errorf("%s: %v", b.Name, err)
			}
		}
		if listed, err := s.list(); err != nil || len(listed) != 2 || listed[1] != built[1] {
			t.Errorf("list gives %+v, %v", listed, err)
		}
	}
	if digests[0] != digests[2] || digests[1] != digests[3] {
		t.Errorf("two builds differ: %v", digests)
	}
}

func TestSaveMendsADamagedStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "images")
	s, err := openStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	images := twoImages(t, "program")
	if _, err := s.save(images); err != nil {
		t.Fatal(err)
	}
	blobs, err := filepath.Glob(filepath.Join(dir, "blobs", "sha256", "*"))
	if err != nil || len(blobs) == 0 {
		t.Fatal(blobs, err)
	}
	for _, b := range blobs {
		if err := os.Remove(b); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.save(images); err != nil {
		t.Fatal(err)
	}
	if after, err := filepath.Glob(filepath.Join(dir, "blobs", "sha256", "*")); err != nil || len(after) != len(blobs) {
		t.Errorf("%d blobs of %d are back, %v", len(after), len(blobs), err)
	}
}

func TestPush(t *testing.T) {
	var uploads, requests atomic.Int32
	inner := registry.New(registry.Logger(discardLog()))
	_, to := answering(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/blobs/") {
			uploads.Add(1)
		}
		inner.ServeHTTP(w, r)
	})
	s, built := stored(t)
	if n, err := s.push(t.Context(), to, built); err != nil || n != 2 {
		t.Fatalf("pushed %d, %v", n, err)
	}
	tag, err := to.tag(built[1])
	if err != nil {
		t.Fatal(err)
	}
	if head, err := remote.Head(tag); err != nil || head.Digest.String() != built[1].Digest {
		t.Errorf("the registry has %+v, %v", head, err)
	}

	uploads.Store(0)
	requests.Store(0)
	if n, err := s.push(t.Context(), to, built); err != nil || n != 0 {
		t.Errorf("pushed %d again, %v", n, err)
	}
	if n := requests.Load(); uploads.Load() > 0 || n > 4 {
		t.Errorf("%d requests and %d uploads for nothing to push", n, uploads.Load())
	}

	built, err = s.save(twoImages(t, "another program"))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.push(t.Context(), to, built); err != nil || n != 2 {
		t.Errorf("pushed %d of the changed images, %v", n, err)
	}
}

func TestPushSaysWhereItFailed(t *testing.T) {
	server, to := answering(t, http.NotFound)
	s, built := stored(t)
	if _, err := s.push(t.Context(), to, built); err == nil || !strings.Contains(err.Error(), "push to "+to.Registry) {
		t.Errorf("a registry that knows nothing: %v", err)
	}
	server.Close()
	if _, err := s.push(t.Context(), to, built); err == nil || !strings.Contains(err.Error(), to.Registry) {
		t.Errorf("no registry at all: %v", err)
	}
	to.CA = source(t, "no certificate", time.Now())
	if _, err := s.push(t.Context(), to, built); err == nil || !strings.Contains(err.Error(), to.CA) {
		t.Errorf("a file that is no certificate: %v", err)
	}
}

// TestPushAsUser: a registry of a cloud asks who it is, and what was pushed is recorded as environments read it.
func TestPushAsUser(t *testing.T) {
	inner := registry.New(registry.Logger(discardLog()))
	_, to := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "AWS" || password != "a-token" {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		inner.ServeHTTP(w, r)
	})
	s, built := stored(t)
	if _, err := s.push(t.Context(), to, built); err == nil {
		t.Error("nobody in particular may push")
	}
	to.User = "AWS"
	if err := to.readPassword(strings.NewReader("\n")); err == nil {
		t.Error("an empty password is taken")
	}
	if err := to.readPassword(strings.NewReader("a-token\n")); err != nil {
		t.Fatal(err)
	}
	if n, err := s.push(t.Context(), to, built); err != nil || n != 2 {
		t.Fatalf("pushed %d, %v", n, err)
	}
	file := filepath.Join(t.TempDir(), "release.json")
	if err := record(file, built); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	list, errs := environments.ParseRelease(text, field.NewPath("release"))
	if len(errs) > 0 || len(list) != 2 || list[1].Digest != built[1].Digest {
		t.Errorf("the record is %+v, %v", list, errs)
	}
}
