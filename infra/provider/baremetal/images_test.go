// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
)

// registry serves manifests by "repository:tag" over TLS.
func registry(t *testing.T, manifests map[string]string) (host, ca string) {
	t.Helper()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.Replace(strings.TrimPrefix(r.URL.Path, "/v2/"), "/manifests/", ":", 1)
		body, ok := manifests[name]
		switch {
		case body == "broken":
			w.WriteHeader(http.StatusInternalServerError)
			return
		case !ok || !strings.Contains(r.Header.Get("Accept"), "oci.image.manifest"):
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Docker-Content-Digest", sha(body))
		if r.Method == http.MethodGet {
			w.Write([]byte(body))
		}
	}))
	t.Cleanup(s.Close)
	ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	return strings.TrimPrefix(s.URL, "https://"), ca
}

func sha(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func resolve(t *testing.T, registry map[string]any, names, blobs []any) (p.InvokeResponse, error) {
	t.Helper()
	return hostServer(t, nil).Invoke(p.InvokeRequest{Token: "spine:baremetal:resolveImages", Args: properties(map[string]any{
		"registry": registry, "names": names, "blobs": blobs,
	})})
}

func layer(n int) string {
	one := fmt.Sprintf(`{"digest":"sha256:%s","size":7}`, strings.Repeat("1", 64))
	return `{"layers":[` + strings.TrimSuffix(strings.Repeat(one+",", n), ",") + `]}`
}

func TestResolveImages(t *testing.T) {
	host, ca := registry(t, map[string]string{"spine/coredns:1.14.0": layer(2), "spine/kubernetes-host:v1.36.3": layer(1)})
	resp, err := resolve(t, map[string]any{"host": host, "ca": ca}, []any{"spine/coredns:1.14.0"}, []any{"spine/kubernetes-host:v1.36.3"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := resp.Return.Get("images").AsMap().Get("spine/coredns:1.14.0").AsString(), host+"/spine/coredns:1.14.0@"+sha(layer(2)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	blob := resp.Return.Get("blobs").AsMap().Get("spine/kubernetes-host:v1.36.3").AsMap()
	digest := "sha256:" + strings.Repeat("1", 64)
	if blob.Get("url").AsString() != "https://"+host+"/v2/spine/kubernetes-host/blobs/"+digest || blob.Get("digest").AsString() != digest || blob.Get("size").AsNumber() != 7 {
		t.Errorf("got %v", blob)
	}
}

func TestResolveImagesErrors(t *testing.T) {
	host, ca := registry(t, map[string]string{"spine/two:1": layer(2), "spine/broken:1": "broken", "spine/text:1": "text"})
	tests := map[string]struct {
		registry     map[string]any
		names, blobs []any
		says         []string
	}{
		"all missing ones": {map[string]any{"host": host, "ca": ca}, []any{"spine/b:1", "spine/a:1", "spine/broken:1"}, []any{"spine/two:1", "spine/text:1"},
			[]string{"registry " + host, "image spine/a:1 is not there", "image spine/b:1 is not there", "spine/broken:1: the registry answered 500", "spine/text:1: its manifest is not JSON", "spine/two:1: expected a manifest with one sha256 layer, it has 2 layers"}},
		"not trusted": {map[string]any{"host": host}, []any{"spine/a:1", "spine/b:1"}, nil, []string{"cannot be asked", "certificate", "registry.ca"}},
		"not there":   {map[string]any{"host": "127.0.0.1:1"}, []any{"spine/a:1"}, nil, []string{"registry 127.0.0.1:1", "connection refused"}},
		"bad inputs":  {map[string]any{"host": "https://x", "ca": "none"}, []any{"spine/a"}, []any{"../a:1"}, []string{"registry.host", "registry.ca", "names[0]", "blobs[0]"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := resolve(t, test.registry, test.names, test.blobs)
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range test.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error does not say %q:\n%s", part, err)
				}
			}
		})
	}
}

func FuzzParseSingleLayer(f *testing.F) {
	f.Add([]byte(layer(1)))
	f.Add([]byte(`{"layers":null}`))
	f.Fuzz(func(t *testing.T, manifest []byte) {
		blob, err := parseSingleLayer("h:1", "spine/a:1", manifest)
		if err == nil && (!sha256Digest.MatchString(blob.Digest) || blob.Size < 0) {
			t.Errorf("took %+v", blob)
		}
	})
}
