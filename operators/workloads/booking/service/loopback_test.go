// SPDX-License-Identifier: Apache-2.0

//go:build engines

package service

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

var quiet = log.New(io.Discard, "", 0)

// authority issues certificates for 127.0.0.1.
type authority struct {
	certificateAuthority *x509.Certificate
	key                  *ecdsa.PrivateKey
	pool                 *x509.CertPool
	pem                  []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	own, err := x509.ParseCertificate(der)
	must(t, err)
	a := &authority{certificateAuthority: own, key: key, pool: x509.NewCertPool(), pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
	a.pool.AddCert(own)
	return a
}

func (a *authority) certificate(t *testing.T, name string) tls.Certificate {
	t.Helper()
	certificate, key := a.pair(t, name)
	pair, err := tls.X509KeyPair(certificate, key)
	must(t, err)
	return pair
}

func (a *authority) pair(t *testing.T, name string) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificateAuthority, &private.PublicKey, a.key)
	must(t, err)
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
}

// issue fills a folder as a certificate's secret would be mounted.
func (a *authority) issue(t *testing.T, dir, name string) {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o700))
	certificate, key := a.pair(t, name)
	for file, content := range map[string][]byte{"tls.crt": certificate, "tls.key": key, "ca.crt": a.pem} {
		must(t, os.WriteFile(filepath.Join(dir, file), content, 0o600))
	}
}

func writeDatabaseDir(t *testing.T, dir string, port int, ca []byte) {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o700))
	for file, content := range map[string]string{"username": "postgres", "password": "unused", "host": "127.0.0.1", "port": strconv.Itoa(port),
		"dbname": "postgres", "ca.crt": string(ca)} {
		must(t, os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600))
	}
}

// tlsPostgres puts TLS in front of a PostgreSQL that has none. It returns its port.
func tlsPostgres(t *testing.T, a *authority, dsn string) int {
	t.Helper()
	target, err := url.Parse(dsn)
	must(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	config := &tls.Config{Certificates: []tls.Certificate{a.certificate(t, "postgres")}}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go relay(client, config, target.Host)
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

// relay answers PostgreSQL's request for TLS and passes everything else on.
func relay(client net.Conn, config *tls.Config, target string) {
	defer client.Close()
	var request [8]byte
	if _, err := io.ReadFull(client, request[:]); err != nil {
		return
	}
	if _, err := client.Write([]byte{'S'}); err != nil {
		return
	}
	secure := tls.Server(client, config)
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, secure)
		_ = server.Close()
	}()
	_, _ = io.Copy(secure, server)
}
