// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// What one site's authority signs is believed at the other, for its purpose and no other.
func TestAuthorities(t *testing.T) {
	folder, now, sites := t.TempDir(), time.Now(), []string{"east", "west"}
	if err := ensureAuthorities(folder, sites, now); err != nil {
		t.Fatal(err)
	}
	load := func(site, purpose string) (ca, root *x509.Certificate) {
		base := filepath.Join(folder, site+"-"+purpose)
		pair, err := tls.LoadX509KeyPair(base+".crt", base+".key")
		if err != nil {
			t.Fatal(err)
		}
		if len(pair.Certificate) != 2 {
			t.Fatalf("%s: a chain of %d", base, len(pair.Certificate))
		}
		if root, err = x509.ParseCertificate(pair.Certificate[1]); err != nil {
			t.Fatal(err)
		}
		return pair.Leaf, root
	}
	for _, purpose := range []string{"platform", "clients"} {
		ca, _ := load("west", purpose)
		for root, want := range map[string]bool{purpose: true, map[string]string{"platform": "clients", "clients": "platform"}[purpose]: false} {
			_, of := load("east", root)
			roots := x509.NewCertPool()
			roots.AddCert(of)
			if _, err := ca.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); (err == nil) != want {
				t.Errorf("%s of west by the root of %s: %v", purpose, root, err)
			}
		}
	}
	// A second time nothing changes, and a site that is joined stays so.
	before, err := os.ReadFile(filepath.Join(folder, "east-platform.crt"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "east.kubeconfig"), []byte("joined"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := ensureAuthorities(folder, sites, now); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(filepath.Join(folder, "east-platform.crt"))
	joined, _ := os.ReadFile(filepath.Join(folder, "east.kubeconfig"))
	if err != nil || !slices.Equal(before, after) || string(joined) != "joined" {
		t.Errorf("the second time changed something: %v, %q", err, joined)
	}
}

func TestMembersAndRack(t *testing.T) {
	for stack, want := range map[string]struct {
		members []string
		rack    string
	}{
		"local":           {nil, "local"},
		"local-pair":      {[]string{"local-pair-east", "local-pair-west"}, "local-pair"},
		"local-pair-west": {nil, "local-pair"},
		"mine":            {nil, "mine"},
	} {
		w := &workspace{options: options{Stack: stack}, root: "../.."}
		members, err := w.members()
		if err != nil || !slices.Equal(members, want.members) || w.rack() != want.rack {
			t.Errorf("%s: members %v (%v), rack %s", stack, members, err, w.rack())
		}
	}
	if site := (&workspace{options: options{Stack: "local-pair-west"}, root: "../.."}).site(); site != "west" {
		t.Errorf("site %q", site)
	}
}
