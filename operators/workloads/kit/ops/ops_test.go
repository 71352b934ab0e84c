// SPDX-License-Identifier: Apache-2.0

package ops

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func ask(s http.Handler, method, path string, manager bool) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.TLS = &tls.ConnectionState{}
	if manager {
		r.TLS.VerifiedChains = [][]*x509.Certificate{{{Subject: pkix.Name{CommonName: Manager}}}}
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestPaths(t *testing.T) {
	var ready, broken error
	s := New(Config{
		Ready: func() error { return ready },
		Deep: func(context.Context) Deep {
			var d Deep
			d.Run("one", func() error { return nil })
			d.Run("two", func() error { return broken })
			d.Run("three", func() error { return nil })
			return d
		},
		Status:  func(context.Context) (any, error) { return map[string]int{"unsettled": 3}, broken },
		Metrics: prometheus.NewRegistry(),
		More:    map[string]http.Handler{"GET /more": http.NotFoundHandler()},
	})
	want := func(method, path string, manager bool, status int, text string) {
		t.Helper()
		if w := ask(s, method, path, manager); w.Code != status || !strings.Contains(w.Body.String(), text) {
			t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
	}
	want("GET", "/livez", false, 200, "ok")
	want("GET", "/readyz", false, 200, "ok")
	for _, path := range []string{"/metrics", "/statusz", "/deepz", "/more"} {
		want("GET", path, false, 403, "client certificate")
	}
	want("POST", "/drain", false, 403, "client certificate")
	want("GET", "/statusz", true, 200, `{"unsettled":3}`)
	want("POST", "/deepz", true, 200, `{"ok":true,"stages":[{"name":"one","ok":true,`)
	broken = errors.New("the disk is full")
	want("GET", "/deepz", true, 503, `"error":"the disk is full"}]}`)
	want("GET", "/statusz", true, 503, "the disk is full")
	ready = errors.New("no database")
	want("GET", "/readyz", false, 503, "no database")
	ready = nil
	want("POST", "/drain", true, 202, "draining")
	want("POST", "/drain", true, 202, "draining")
	want("GET", "/readyz", false, 503, "draining")
	want("GET", "/livez", false, 200, "ok")
	<-s.Drained()
}
