// SPDX-License-Identifier: Apache-2.0

// Package fleet knows the clients that the load generator acts as: mailboxes with their certificates and passwords, read
// from one folder that an environment hands out.
//
//	ca.crt           what the servers' certificates are checked against
//	mailboxes.yaml   the gateway's mailboxes; those named LOAD001, LOAD002, ... are used
//	LOAD001.crt/.key the client certificate of each
package fleet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

// Prefix of the mailboxes that belong to the load generator; a number of three digits from 001 follows.
const Prefix = "LOAD"

// MailboxID is the mailbox of a number from 1 to 999.
func MailboxID(n uint16) string { return fmt.Sprintf("%s%03d", Prefix, n) }

// Number of a mailbox; false when it is not one of the generator's.
func Number(id string) (uint16, bool) {
	digits, ok := strings.CutPrefix(id, Prefix)
	n, err := strconv.ParseUint(digits, 10, 16)
	return uint16(n), ok && err == nil && n > 0 && MailboxID(uint16(n)) == id
}

// Mailbox is one client.
type Mailbox struct {
	Number       uint16
	ID, Password string
	Certificate  tls.Certificate
}

// Fleet is all clients of a folder.
type Fleet struct {
	// Mailboxes by rising number; at least one.
	Mailboxes []Mailbox
	// SharedKey of the environment, for MESH.
	SharedKey string
	roots     *x509.CertPool
}

// Open reads a folder; all that is wrong with it is one error.
func Open(dir string) (*Fleet, error) {
	roots, err := Roots(filepath.Join(dir, "ca.crt"))
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "mailboxes.yaml")
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	// Strictness is the gateway's; here only what is needed is read.
	var file struct {
		SharedKey string `json:"sharedKey"`
		Mailboxes []struct{ ID, Password string }
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		// The text of a YAML error may quote a password.
		return nil, fmt.Errorf("%s: not a file of mailboxes: fetch it again from the environment", path)
	}
	f := &Fleet{SharedKey: file.SharedKey, roots: roots}
	var errs []error
	for _, m := range file.Mailboxes {
		n, ours := Number(m.ID)
		if !ours {
			continue
		}
		base := filepath.Join(dir, m.ID)
		certificate, err := tls.LoadX509KeyPair(base+".crt", base+".key")
		if err != nil {
			errs = append(errs, fmt.Errorf("mailbox %s: %w", m.ID, err))
			continue
		}
		f.Mailboxes = append(f.Mailboxes, Mailbox{Number: n, ID: m.ID, Password: m.Password, Certificate: certificate})
	}
	if len(errs) == 0 && len(f.Mailboxes) == 0 {
		errs = append(errs, fmt.Errorf("%s: no mailbox is named %s: add some to the environment", path, MailboxID(1)))
	}
	slices.SortFunc(f.Mailboxes, func(a, b Mailbox) int { return int(a.Number) - int(b.Number) })
	return f, errors.Join(errs...)
}

// Roots reads a bundle of certificates to trust.
func Roots(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate in it: expected PEM", path)
	}
	return pool, nil
}

// TLS is what the mailbox presents and trusts; name replaces the host of the URL when not empty.
func (f *Fleet) TLS(m *Mailbox, name string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: f.roots, Certificates: []tls.Certificate{m.Certificate}, ServerName: name,
		ClientSessionCache: tls.NewLRUClientSessionCache(8),
	}
}

// Names asks one name server, HOST:PORT, and keeps no answer; nil for an empty address.
func Names(server string) *net.Resolver {
	if server == "" {
		return nil
	}
	dialer := &net.Dialer{Timeout: time.Second}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, server)
	}}
}

// Client speaks HTTP/1.1 over kept connections. A try may take as long as timeout. Connections to a host that died
// without a word are found by the timeouts, so a shorter one shortens the gap that the client sees. Each new connection
// asks anew for the host's address: of names, or where that is nil as the machine does.
func Client(conf *tls.Config, connections int, timeout time.Duration, names *net.Resolver) *http.Client {
	dialer := &net.Dialer{Timeout: min(timeout, 2*time.Second), KeepAlive: 5 * time.Second, Resolver: names}
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSClientConfig: conf, TLSHandshakeTimeout: timeout,
			MaxIdleConns: connections, MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections,
			IdleConnTimeout: time.Minute, DisableCompression: true,
			WriteBufferSize: 64 << 10, ReadBufferSize: 64 << 10,
		},
	}
}
