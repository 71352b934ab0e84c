// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

const (
	rootYears = 20
	siteYears = 10
)

// ensureAuthorities makes, for a practice pair, what an organisation's own authority hands out in live: for the
// platform's parts and for clients, each site's issuing certificate and key, of one root. Roots' keys are not kept.
// It also makes the empty files by which sites are joined later.
func ensureAuthorities(folder string, sites []string, now time.Time) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for _, purpose := range []string{"platform", "clients"} {
		if err := ensureRoot(folder, purpose, sites, now); err != nil {
			return err
		}
	}
	for _, site := range sites {
		f, err := os.OpenFile(filepath.Join(folder, site+".kubeconfig"), os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

func ensureRoot(folder, purpose string, sites []string, now time.Time) error {
	// The last file of all says that the others are there.
	last := filepath.Join(folder, sites[len(sites)-1]+"-"+purpose+".crt")
	if _, err := os.Stat(last); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	root := authority("Spine "+purpose+" root", now, rootYears)
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, rootKey.Public(), rootKey)
	if err != nil {
		return err
	}
	for _, site := range sites {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return err
		}
		der, err := x509.CreateCertificate(rand.Reader, authority("Spine "+purpose+" CA of "+site, now, siteYears), root, key.Public(), rootKey)
		if err != nil {
			return err
		}
		keyDER, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return err
		}
		base := filepath.Join(folder, site+"-"+purpose)
		if err := os.WriteFile(base+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600); err != nil {
			return err
		}
		var chain bytes.Buffer
		for _, c := range [][]byte{der, rootDER} {
			if err := pem.Encode(&chain, &pem.Block{Type: "CERTIFICATE", Bytes: c}); err != nil {
				return err
			}
		}
		if err := os.WriteFile(base+".crt", chain.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func authority(name string, now time.Time, years int) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126)) // never fails
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(years, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
	}
}
