// SPDX-License-Identifier: Apache-2.0

package tlsfiles

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"sync"
)

type connKey struct{}

// checked is the outcome of looking at a connection's certificate, once.
type checked struct {
	once   sync.Once
	chains [][]*x509.Certificate
	err    error
}

// ConnContext is for http.Server: it gives Verify a place to remember a connection's certificate.
func ConnContext(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, &checked{})
}

// Verify checks client certificates by an authority, for a listener that asks for them (tls.RequestClientCert) without
// checking: so that a client with an expired or foreign one gets an answer that says so, by refuse, and not a broken
// connection. Requests without a certificate pass, without VerifiedChains; what needs one must look.
func Verify(clients *Pool, next http.Handler, refuse func(w http.ResponseWriter, r *http.Request, err error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, ok := r.Context().Value(connKey{}).(*checked)
		if !ok || r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
			next.ServeHTTP(w, r)
			return
		}
		c.once.Do(func() { c.chains, c.err = verifyClient(r.TLS.PeerCertificates, clients) })
		if c.err != nil {
			// The connection stays refused; a new certificate needs a new one anyway.
			w.Header().Set("Connection", "close")
			refuse(w, r, c.err)
			return
		}
		state := *r.TLS
		state.VerifiedChains = c.chains
		r.TLS = &state
		next.ServeHTTP(w, r)
	})
}

func verifyClient(certificates []*x509.Certificate, clients *Pool) ([][]*x509.Certificate, error) {
	options := x509.VerifyOptions{
		Roots: clients.Certs(), Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, c := range certificates[1:] {
		options.Intermediates.AddCert(c)
	}
	return certificates[0].Verify(options)
}
