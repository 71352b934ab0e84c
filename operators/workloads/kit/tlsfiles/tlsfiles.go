// SPDX-License-Identifier: Apache-2.0

// Package tlsfiles serves certificates from mounted files (tls.crt, tls.key, ca.crt) and takes up changed ones without
// a restart. A change that cannot be read leaves the last good ones in use.
package tlsfiles

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// checkEvery is how often, at most, a use of the files looks whether they changed.
const checkEvery = 2 * time.Second

// Files is a directory with a certificate, its key and the authority that peers are verified by.
type Files struct {
	dir  string
	pool *Pool

	mu      sync.Mutex
	checked time.Time
	changed time.Time
	pair    *tls.Certificate
}

// Open reads tls.crt, tls.key and ca.crt of a directory.
func Open(dir string) (*Files, error) {
	pool, err := OpenPool(filepath.Join(dir, "ca.crt"))
	if err != nil {
		return nil, err
	}
	f := &Files{dir: dir, pool: pool}
	if err := f.load(); err != nil {
		return nil, err
	}
	f.checked = time.Now()
	return f, nil
}

func (f *Files) load() error {
	changed, err := modified(filepath.Join(f.dir, "tls.crt"), filepath.Join(f.dir, "tls.key"))
	if err != nil || (f.pair != nil && changed.Equal(f.changed)) {
		return err
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(f.dir, "tls.crt"), filepath.Join(f.dir, "tls.key"))
	if err != nil {
		return fmt.Errorf("certificate in %s: %w", f.dir, err)
	}
	f.pair, f.changed = &pair, changed
	return nil
}

func modified(paths ...string) (newest time.Time, err error) {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return newest, err
		}
		if info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest, nil
}

// Certificate is the present certificate.
func (f *Files) Certificate() *tls.Certificate {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.checked) >= checkEvery {
		f.checked = time.Now()
		// While the files are being exchanged they may not fit together: the last good pair stays.
		_ = f.load()
	}
	return f.pair
}

// Pool is the authority beside the certificate.
func (f *Files) Pool() *Pool { return f.pool }

// Server is a configuration for a server with this certificate. Clients' certificates are verified by clients, as auth
// says; nil clients means that none is asked for.
func (f *Files) Server(auth tls.ClientAuthType, clients *Pool) *tls.Config {
	base := &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.Certificate(), nil },
		NextProtos:     []string{"h2", "http/1.1"},
	}
	if clients == nil {
		return base
	}
	base.ClientAuth = auth
	base.ClientCAs = clients.Certs()
	// One ticket key for all connections, and a configuration of its own only after the authority changed.
	var mu sync.Mutex
	current := base
	base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		mu.Lock()
		defer mu.Unlock()
		if pool := clients.Certs(); pool != current.ClientCAs {
			current = base.Clone()
			current.GetConfigForClient = nil
			current.ClientCAs = pool
		}
		return current, nil
	}
	return base
}

// Client is a configuration for clients with this certificate, verifying servers by any of the authorities; none
// given means the one beside the certificate.
func (f *Files) Client(authorities ...*Pool) *tls.Config {
	if len(authorities) == 0 {
		authorities = []*Pool{f.pool}
	}
	config := ClientOf(authorities...)
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return f.Certificate(), nil }
	return config
}

// ClientOf is a configuration for clients without a certificate.
func ClientOf(authorities ...*Pool) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		// The library's own check takes one fixed pool; the same check is made below, by the pools as they are now.
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection does it
		VerifyConnection: func(state tls.ConnectionState) error {
			return verify(state, authorities)
		},
	}
}

func verify(state tls.ConnectionState, authorities []*Pool) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the server sent no certificate")
	}
	options := x509.VerifyOptions{DNSName: state.ServerName, Intermediates: x509.NewCertPool()}
	for _, c := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(c)
	}
	var failed error
	for _, authority := range authorities {
		options.Roots = authority.Certs()
		if _, err := state.PeerCertificates[0].Verify(options); err != nil {
			failed = err
			continue
		}
		return nil
	}
	return failed
}

// Pool is a file of authorities' certificates.
type Pool struct {
	path string

	mu      sync.Mutex
	checked time.Time
	changed time.Time
	certs   *x509.CertPool
}

// OpenPool reads a file of PEM certificates.
func OpenPool(path string) (*Pool, error) {
	p := &Pool{path: path}
	if err := p.load(); err != nil {
		return nil, err
	}
	p.checked = time.Now()
	return p, nil
}

func (p *Pool) load() error {
	changed, err := modified(p.path)
	if err != nil || (p.certs != nil && changed.Equal(p.changed)) {
		return err
	}
	text, err := os.ReadFile(p.path)
	if err != nil {
		return err
	}
	certs := x509.NewCertPool()
	if !certs.AppendCertsFromPEM(text) {
		return fmt.Errorf("%s: expected PEM certificates of authorities", p.path)
	}
	p.certs, p.changed = certs, changed
	return nil
}

// Certs is the present pool; the same pointer until the file changes.
func (p *Pool) Certs() *x509.CertPool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.checked) >= checkEvery {
		p.checked = time.Now()
		_ = p.load()
	}
	return p.certs
}
