// SPDX-License-Identifier: Apache-2.0

package tlsfiles

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// authority signs certificates into directories.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{t, cert, key}
}

// issue writes a certificate, valid until a time from now, into a directory.
func (a *authority) issue(dir, name string, valid time.Duration) string {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(valid),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	encoded, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		"tls.crt": {Type: "CERTIFICATE", Bytes: der}, "tls.key": {Type: "EC PRIVATE KEY", Bytes: encoded},
		"ca.crt": {Type: "CERTIFICATE", Bytes: a.cert.Raw},
	} {
		if err := os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	return dir
}

func open(t *testing.T, dir string) *Files {
	t.Helper()
	f, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestClientsWithBadCertificatesGetAnAnswer(t *testing.T) {
	platform, clients := newAuthority(t, "platform"), newAuthority(t, "clients")
	server := open(t, platform.issue(t.TempDir(), "localhost", time.Hour))
	pool := open(t, clients.issue(t.TempDir(), "x", time.Hour)).Pool()
	inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := "nobody"
		if len(r.TLS.VerifiedChains) > 0 {
			name = r.TLS.VerifiedChains[0][0].Subject.CommonName
		}
		_, _ = io.WriteString(w, name)
	})
	s := httptest.NewUnstartedServer(Verify(pool, inner, func(w http.ResponseWriter, _ *http.Request, _ error) {
		http.Error(w, "bad certificate", http.StatusForbidden)
	}))
	s.TLS = server.Server(tls.RequestClientCert, pool)
	s.Config.ConnContext = ConnContext
	s.StartTLS()
	defer s.Close()
	ask := func(config *tls.Config) (int, string) {
		t.Helper()
		config.ServerName = "localhost"
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
		answer, err := client.Get(s.URL)
		if err != nil {
			return 0, err.Error()
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		return answer.StatusCode, string(body)
	}
	for name, c := range map[string]struct {
		config *tls.Config
		status int
		body   string
	}{
		"good":    {open(t, clients.issue(t.TempDir(), "ann", time.Hour)).Client(server.Pool()), 200, "ann"},
		"expired": {open(t, clients.issue(t.TempDir(), "ann", -time.Minute)).Client(server.Pool()), 403, "bad certificate\n"},
		"foreign": {open(t, platform.issue(t.TempDir(), "ann", time.Hour)).Client(server.Pool()), 403, "bad certificate\n"},
		"none":    {ClientOf(server.Pool()), 200, "nobody"},
	} {
		if status, body := ask(c.config); status != c.status || body != c.body {
			t.Errorf("%s: %d %q", name, status, body)
		}
	}
	if status, _ := ask(ClientOf(pool)); status != 0 {
		t.Error("a client took a server of another authority")
	}
}

func TestChangedFilesAreTakenUpAndBadOnesAreNot(t *testing.T) {
	a := newAuthority(t, "a")
	dir := a.issue(t.TempDir(), "one", time.Hour)
	f := open(t, dir)
	name := func() string {
		// As if the last look were long ago.
		f.mu.Lock()
		f.checked = time.Time{}
		f.mu.Unlock()
		leaf, err := x509.ParseCertificate(f.Certificate().Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return leaf.Subject.CommonName
	}
	a.issue(dir, "two", time.Hour)
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(filepath.Join(dir, "tls.crt"), later, later); err != nil {
		t.Fatal(err)
	}
	if got := name(); got != "two" {
		t.Errorf("after the change: %s", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "tls.crt"), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := name(); got != "two" {
		t.Errorf("after a bad change: %s", got)
	}
	if _, err := Open(dir); err == nil {
		t.Error("opened a bad certificate")
	}
}
