// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"crypto/x509"
	"net/netip"
	"path/filepath"
	"testing"
	"time"
)

func TestServerCertificate(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ca.key")
	now := time.Now()
	if err := EnsureCA("dev", cert, key, now); err != nil {
		t.Fatal(err)
	}
	ca, err := LoadCA(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	issued, err := ca.Server("BMC of host a", netip.MustParseAddr("10.1.0.111"), now)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(issued.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	pool, err := Pool(cert)
	if err != nil {
		t.Fatal(err)
	}
	for name, ok := range map[string]bool{"10.1.0.111": true, "10.1.0.112": false} {
		_, err := leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: name, CurrentTime: now})
		if (err == nil) != ok {
			t.Errorf("as %s: %v", name, err)
		}
	}
	if _, err := Pool(key); err == nil {
		t.Error("a key is taken for a certificate")
	}
}
