// SPDX-License-Identifier: Apache-2.0

package ops

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// authority signs certificates.
type authority struct {
	t           *testing.T
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	a := authority{t: t}
	pair := a.sign(&x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	a.certificate, a.key = pair.Leaf, pair.PrivateKey.(*ecdsa.PrivateKey)
	return a
}

// client signs a client certificate.
func (a authority) client(name string, alternatives ...string) tls.Certificate {
	a.t.Helper()
	return a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: alternatives, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

// sign makes a certificate; the first of an authority is signed by itself.
func (a authority) sign(template *x509.Certificate) tls.Certificate {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber, template.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(time.Hour)
	parent, signer := a.certificate, a.key
	if parent == nil {
		parent, signer = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		a.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key, Leaf: leaf}
}

// Of all certificates of the platform's authority only the manager's opens the manager's paths, over a real connection.
func TestOnlyTheManagerIsLetIn(t *testing.T) {
	platform, other := newAuthority(t), newAuthority(t)
	for name, c := range map[string]struct {
		certificate *tls.Certificate
		guarded     int // status of the manager's paths; 0: no connection at all
	}{
		"the manager":                        {ptr(platform.client(Manager)), 200},
		"nobody":                             {nil, 403},
		"a broker":                           {ptr(platform.client("spine-broker")), 403},
		"without a name":                     {ptr(platform.client("")), 403},
		"the manager's name beside its own":  {ptr(platform.client("spine-gateway", Manager)), 403},
		"a longer name":                      {ptr(platform.client(Manager + "x")), 403},
		"the manager's name, other letters":  {ptr(platform.client(strings.ToUpper(Manager))), 403},
		"the manager's name, by another one": {ptr(other.client(Manager)), 0},
	} {
		t.Run(name, func(t *testing.T) {
			s, server := serve(t, platform)
			config := &tls.Config{RootCAs: x509.NewCertPool()}
			config.RootCAs.AddCert(server.Certificate())
			if c.certificate != nil {
				// Sent whatever authorities the server names.
				config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c.certificate, nil }
			}
			client := &http.Client{Transport: &http.Transport{TLSClientConfig: config}}
			defer client.CloseIdleConnections()
			for _, path := range []string{"/livez", "/readyz", "/metrics", "/statusz", "/deepz", "/more"} {
				want := c.guarded
				if want == 403 && (path == "/livez" || path == "/readyz") {
					want = 200
				}
				response, err := client.Get(server.URL + path)
				if err != nil {
					if want != 0 {
						t.Errorf("%s: %v", path, err)
					}
					continue
				}
				_ = response.Body.Close()
				if response.StatusCode != want {
					t.Errorf("%s: %d, want %d", path, response.StatusCode, want)
				}
			}
			if response, err := client.Post(server.URL+"/drain", "", nil); err == nil {
				_ = response.Body.Close()
			}
			if s.Draining() != (c.guarded == 200) {
				t.Errorf("draining: %t", s.Draining())
			}
		})
	}
}

// serve starts a workload's server that verifies clients by an authority.
func serve(t *testing.T, clients authority) (*Server, *httptest.Server) {
	t.Helper()
	s := New(Config{
		Ready: func() error { return nil }, Deep: func(context.Context) Deep { return Deep{OK: true} },
		Status:  func(context.Context) (any, error) { return 1, nil },
		Metrics: prometheus.NewRegistry(), More: map[string]http.Handler{"GET /more": http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})},
	})
	server := httptest.NewUnstartedServer(s)
	server.TLS = &tls.Config{ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: x509.NewCertPool()}
	server.TLS.ClientCAs.AddCert(clients.certificate)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return s, server
}

// The name that is let in is the one that the manager's certificate is issued with.
func TestManagerIsWhoIsDeployed(t *testing.T) {
	text, err := os.ReadFile("../../../manifests/deployment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\n  commonName: "+Manager+"\n") {
		t.Errorf("deployment.yaml has no certificate with the common name %s", Manager)
	}
}

func ptr[T any](v T) *T { return &v }
