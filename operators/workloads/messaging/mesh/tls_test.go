// SPDX-License-Identifier: Apache-2.0

package mesh

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/messaging/mesh/auth"
)

// authority issues client certificates for one test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "clients"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.cert, a.key = a.sign(template, template, nil)
	return a
}

func (a *authority) sign(template, parent *x509.Certificate, by *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	if by == nil {
		by = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

// client issues a certificate that has its name as a DNS name only, until a moment.
func (a *authority) client(name string, until time.Time) *tls.Certificate {
	cert, key := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{name}, NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, a.cert, a.key)
	return &tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
}

// TestOverTLS sends over real connections, resumed ones too: a session that is resumed must still name its caller.
func TestOverTLS(t *testing.T) {
	ours, others := newAuthority(t), newAuthority(t)
	f := newFront(t)
	server := httptest.NewUnstartedServer(f.handler)
	pool := x509.NewCertPool()
	pool.AddCert(ours.cert)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS12}
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()

	const alice = "Alice.x26.api.mesh-client.nhs.uk"
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	for name, tc := range map[string]struct {
		certificate *tls.Certificate
		status      int
	}{
		"the right certificate": {ours.client(alice, soon), http.StatusOK},
		"a stranger's":          {ours.client("eve.nhs.uk", soon), http.StatusForbidden},
		"an expired one":        {ours.client(alice, past), 0},
		"another authority's":   {others.client(alice, soon), 0},
		"none":                  {nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			transport := server.Client().Transport.(*http.Transport).Clone()
			transport.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			if tc.certificate != nil {
				transport.TLSClientConfig.Certificates = []tls.Certificate{*tc.certificate}
			}
			defer transport.CloseIdleConnections()
			for attempt := range 2 {
				f.count++
				r, err := http.NewRequest("GET", server.URL+"/messageexchange/ALICE/inbox", nil)
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Authorization", auth.Token("ALICE", passwords["ALICE"], sharedKey, name, f.count, f.now))
				response, err := transport.RoundTrip(r)
				if tc.status == 0 {
					if err == nil {
						t.Fatalf("the connection was let in: %s", response.Status)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if response.StatusCode != tc.status || response.TLS.DidResume != (attempt == 1) {
					t.Errorf("attempt %d: %s, want %d; resumed is %v", attempt, response.Status, tc.status, response.TLS.DidResume)
				}
				if _, err := io.Copy(io.Discard, response.Body); err != nil {
					t.Error(err)
				}
				_ = response.Body.Close()
				transport.CloseIdleConnections()
			}
		})
	}
}
