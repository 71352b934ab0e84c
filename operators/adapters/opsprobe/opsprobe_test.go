// SPDX-License-Identifier: Apache-2.0

package opsprobe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/ports"
)

// program answers with status and body at every path, to holders of a certificate only.
func program(t *testing.T, status int, body string) (ports.Target, *Prober) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	dir := t.TempDir()
	private, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certificate := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	for name, block := range map[string]*pem.Block{
		"tls.crt": certificate, "ca.crt": certificate, "tls.key": {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return ports.Target{Address: server.Listener.Addr().String(), ServerName: "example.com"}, New(dir)
}

func TestDeep(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		ok     bool
		stage  string
		answer bool // the answer is an AnswerError
	}{
		"passes":         {200, `{"ok":true,"stages":[{"name":"ledger","ok":true,"milliseconds":1.5}]}`, true, "", false},
		"broken path":    {503, `{"ok":false,"stages":[{"name":"ledger","ok":true},{"name":"broker","ok":false,"error":"no quorum"}]}`, false, "broker", false},
		"newer program":  {200, `{"ok":true,"stages":[],"more":1}`, true, "", false},
		"no ok":          {200, `{}`, false, "", true},
		"not JSON":       {200, `<html>`, false, "", true},
		"not allowed":    {403, `{"ok":true}`, false, "", true},
		"somewhere else": {302, ``, false, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			target, prober := program(t, c.status, c.body)
			got, err := prober.Deep(t.Context(), target)
			var answer *ports.AnswerError
			if errors.As(err, &answer) != c.answer || (err != nil) != c.answer {
				t.Fatalf("got error %v", err)
			}
			if got.OK != c.ok || got.FailedStage().Name != c.stage {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	target, prober := program(t, 200, `{"acknowledged":3,"unsettled":1,"oldestUnsettledSeconds":2.5,"deadLettered":[{"supplier":"a","count":2}],"broker":{"connected":true}}`)
	var got ports.MessagingStatus
	if err := prober.Status(t.Context(), target, &got); err != nil {
		t.Fatal(err)
	}
	if got.Acknowledged != 3 || got.Unsettled != 1 || got.OldestUnsettledSeconds != 2.5 || got.DeadLettered[0].Count != 2 {
		t.Errorf("got %+v", got)
	}
	target, prober = program(t, 503, `{}`)
	var answer *ports.AnswerError
	if err := prober.Status(t.Context(), target, &got); !errors.As(err, &answer) {
		t.Errorf("counts with status 503 are none: %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	target, prober := program(t, 200, `{"ok":true}`)
	other := target
	other.ServerName = "somebody.else"
	ended, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	for name, ask := range map[string]func() error{
		"another name":   func() error { _, err := prober.Deep(t.Context(), other); return err },
		"no certificate": func() error { _, err := New(t.TempDir()).Deep(t.Context(), target); return err },
		"no time":        func() error { _, err := prober.Deep(ended, target); return err },
	} {
		var unreachable *ports.UnreachableError
		if err := ask(); !errors.As(err, &unreachable) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
