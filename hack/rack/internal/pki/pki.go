// SPDX-License-Identifier: Apache-2.0

// Package pki makes what a rack identifies itself with: a certificate authority for its BMCs
// and registries, SSH keys and passwords.
package pki

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	caLife   = 10 * 365 * 24 * time.Hour
	leafLife = 365 * 24 * time.Hour
	// backdate allows for clocks that run behind.
	backdate = time.Hour
)

// CA signs the certificates of one rack.
type CA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// EnsureCA loads the authority from its files, or makes it when there is none.
func EnsureCA(rack, certFile, keyFile string, now time.Time) error {
	if _, err := os.Stat(certFile); err == nil {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "spine rack " + rack},
		NotBefore: now.Add(-backdate), NotAfter: now.Add(caLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := sign(template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	if err := writePEM(keyFile, "EC PRIVATE KEY", keyDER, 0o600); err != nil {
		return err
	}
	// The certificate comes last: its presence says that both are whole.
	return writePEM(certFile, "CERTIFICATE", der, 0o644)
}

// LoadCA reads the authority.
func LoadCA(certFile, keyFile string) (*CA, error) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("rack certificate authority: %w", err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("rack certificate authority: %s is not an ECDSA key", keyFile)
	}
	return &CA{cert: pair.Leaf, key: key}, nil
}

// Server issues a certificate for a service at one address.
func (ca *CA) Server(name string, addr netip.Addr, now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		IPAddresses: []net.IP{addr.AsSlice()},
		NotBefore:   now.Add(-backdate), NotAfter: now.Add(leafLife),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := sign(template, ca.cert, &key.PublicKey, ca.key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// Pool trusts the authority in a file and nothing else.
func Pool(certFile string) (*x509.CertPool, error) {
	data, err := os.ReadFile(certFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s holds no certificate", certFile)
	}
	return pool, nil
}

func sign(template, parent *x509.Certificate, pub *ecdsa.PublicKey, key *ecdsa.PrivateKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	return x509.CreateCertificate(rand.Reader, template, parent, pub, key)
}

func writePEM(file, kind string, der []byte, mode fs.FileMode) error {
	return WriteOnce(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode)
}

// EnsureSSHKey makes an ed25519 key unless the file exists, and returns its public half in
// authorized_keys form.
func EnsureSSHKey(file, comment string) (ssh.PublicKey, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		block, err := ssh.MarshalPrivateKey(key, comment)
		if err != nil {
			return nil, err
		}
		data = pem.EncodeToMemory(block)
		if err := WriteOnce(file, data, 0o600); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(data)
	if err != nil {
		return nil, fmt.Errorf("SSH key %s: %w", file, err)
	}
	return signer.PublicKey(), nil
}

// EnsureSecret makes a random password of 128 bits, in hexadecimal, unless the file exists.
func EnsureSecret(file string) error {
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	return WriteOnce(file, []byte(Token()+"\n"), 0o600)
}

// EnsureKey makes a random key of 256 bits, in base64, unless the file exists.
func EnsureKey(file string) error {
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	var b [32]byte
	rand.Read(b[:])
	return WriteOnce(file, []byte(base64.StdEncoding.EncodeToString(b[:])+"\n"), 0o600)
}

// Token is 128 random bits in hexadecimal.
func Token() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// WriteOnce makes the file appear whole or not at all.
func WriteOnce(file string, data []byte, mode fs.FileMode) error {
	tmp := file + ".new"
	if err := os.WriteFile(tmp, data, mode); err != nil {
		return err
	}
	return os.Rename(tmp, file)
}
