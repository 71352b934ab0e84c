// SPDX-License-Identifier: Apache-2.0

package baremetal

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

const (
	resolveTimeout = 10 * time.Second
	// maxManifest bounds what is read of a manifest; real ones have a few KiB.
	maxManifest = 4 << 20
)

var (
	taggedName   = regexp.MustCompile(`^([a-z0-9]+(?:[._/-][a-z0-9]+)*):([a-zA-Z0-9_][a-zA-Z0-9._-]{0,127})$`)
	sha256Digest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

var manifestTypes = strings.Join([]string{
	"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json",
	"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json",
}, ", ")

// registryClient speaks the read-only part of the distribution protocol that
// is needed here, with nothing but the given certificate authority trusted.
type registryClient struct {
	host string
	http *http.Client
}

func newRegistryClient(r Registry) (*registryClient, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if r.CA != nil {
		certs, err := certificates(*r.CA)
		if err != nil {
			return nil, fmt.Errorf("registry.ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		for _, cert := range certs {
			config.RootCAs.AddCert(cert)
		}
	}
	// A proxy of the engineer's machine knows nothing of a site's network.
	transport := &http.Transport{TLSClientConfig: config, MaxIdleConnsPerHost: maxParallel, ForceAttemptHTTP2: true}
	return &registryClient{host: r.Host, http: &http.Client{Transport: transport, Timeout: resolveTimeout}}, nil
}

// digest asks for a manifest's digest without fetching the manifest.
func (c *registryClient) digest(ctx context.Context, name string) (string, error) {
	resp, err := c.manifest(ctx, http.MethodHead, name)
	if err != nil {
		return "", err
	}
	resp.Body.Close()
	digest := resp.Header.Get("Docker-Content-Digest")
	if !sha256Digest.MatchString(digest) {
		return "", fmt.Errorf("image %s: the registry gave no sha256 digest: is it an image registry?", name)
	}
	return digest, nil
}

// singleLayer reads the manifest of an image that is one file.
func (c *registryClient) singleLayer(ctx context.Context, name string) (Blob, error) {
	resp, err := c.manifest(ctx, http.MethodGet, name)
	if err != nil {
		return Blob{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxManifest))
	if err != nil {
		return Blob{}, fmt.Errorf("image %s: reading its manifest: %w", name, err)
	}
	sum := sha256.Sum256(body)
	if want := resp.Header.Get("Docker-Content-Digest"); want != "" && want != "sha256:"+hex.EncodeToString(sum[:]) {
		return Blob{}, fmt.Errorf("image %s: its manifest does not have the digest %s that the registry gave", name, want)
	}
	return parseSingleLayer(c.host, name, body)
}

func parseSingleLayer(host, name string, manifest []byte) (Blob, error) {
	var m struct {
		Layers []struct {
			Digest string `json:"digest"`
			Size   int64  `json:"size"`
		} `json:"layers"`
	}
	if err := json.Unmarshal(manifest, &m); err != nil {
		return Blob{}, fmt.Errorf("image %s: its manifest is not JSON: %w", name, err)
	}
	if len(m.Layers) != 1 || !sha256Digest.MatchString(m.Layers[0].Digest) || m.Layers[0].Size < 0 {
		return Blob{}, fmt.Errorf("image %s: expected a manifest with one sha256 layer, it has %d layers", name, len(m.Layers))
	}
	repository, _, _ := strings.Cut(name, ":")
	layer := m.Layers[0]
	return Blob{URL: (&url.URL{Scheme: "https", Host: host, Path: "/v2/" + repository + "/blobs/" + layer.Digest}).String(), Digest: layer.Digest, Size: int(layer.Size)}, nil
}

func (c *registryClient) manifest(ctx context.Context, method, name string) (*http.Response, error) {
	match := taggedName.FindStringSubmatch(name)
	target := &url.URL{Scheme: "https", Host: c.host, Path: "/v2/" + match[1] + "/manifests/" + match[2]}
	req, err := http.NewRequestWithContext(ctx, method, target.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", name, err)
	}
	req.Header.Set("Accept", manifestTypes)
	resp, err := c.http.Do(req)
	if err != nil {
		// One dead registry is one problem, however many images it holds.
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, fmt.Errorf("cannot be asked: %w: check that it runs and that registry.ca signed its certificate", err)
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return resp, nil
	case http.StatusNotFound:
		resp.Body.Close()
		return nil, fmt.Errorf("image %s is not there: build it and push it to the registry", name)
	}
	resp.Body.Close()
	return nil, fmt.Errorf("image %s: the registry answered %s", name, resp.Status)
}
