// SPDX-License-Identifier: Apache-2.0

// Package opsprobe asks our programs over their operations port: HTTPS with the manager's
// client certificate.
package opsprobe

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"spine.nhs.uk/controlplane/operators/ports"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 20

// Prober is a ports.Prober. It reads its certificate anew for every question, so that a
// renewed one is used without a restart. It is safe for concurrent use.
type Prober struct {
	dir string
}

// New returns a Prober with the certificate (tls.crt, tls.key) and authority (ca.crt) in dir.
func New(dir string) *Prober { return &Prober{dir: dir} }

// Deep implements ports.Prober.
func (p *Prober) Deep(ctx context.Context, t ports.Target) (ports.DeepResult, error) {
	var answer struct {
		OK     *bool `json:"ok"`
		Stages []struct {
			Name         string  `json:"name"`
			OK           bool    `json:"ok"`
			Milliseconds float64 `json:"milliseconds"`
			Error        string  `json:"error"`
		} `json:"stages"`
	}
	// A broken path is answered with 503 and the same body.
	if err := p.get(ctx, t, "/deepz", &answer, http.StatusOK, http.StatusServiceUnavailable); err != nil {
		return ports.DeepResult{}, err
	}
	if answer.OK == nil {
		return ports.DeepResult{}, &ports.AnswerError{Target: t, Problem: "/deepz without the field ok"}
	}
	result := ports.DeepResult{OK: *answer.OK}
	for _, s := range answer.Stages {
		result.Stages = append(result.Stages, ports.Stage{
			Name: s.Name, OK: s.OK, Error: s.Error, Took: time.Duration(s.Milliseconds * float64(time.Millisecond)),
		})
	}
	return result, nil
}

// Status implements ports.Prober.
func (p *Prober) Status(ctx context.Context, t ports.Target, into any) error {
	return p.get(ctx, t, "/statusz", into, http.StatusOK)
}

func (p *Prober) get(ctx context.Context, t ports.Target, path string, into any, accepted ...int) error {
	return p.ask(ctx, t, http.MethodGet, path, nil, into, accepted...)
}

// ask sends a request, with a body unless it is nil, and decodes the answer.
func (p *Prober) ask(ctx context.Context, t ports.Target, method, path string, body []byte, into any, accepted ...int) error {
	client, err := p.client(t)
	if err != nil {
		return &ports.UnreachableError{Target: t, Err: err}
	}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, method, "https://"+t.Address+path, bytes.NewReader(body))
	if err != nil {
		return &ports.UnreachableError{Target: t, Err: err}
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := client.Do(request)
	if err != nil {
		return &ports.UnreachableError{Target: t, Err: err}
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return &ports.UnreachableError{Target: t, Err: err}
	}
	path, _, _ = strings.Cut(path, "?")
	if !slices.Contains(accepted, response.StatusCode) {
		return &ports.AnswerError{Target: t, Problem: fmt.Sprintf("%s with status %d", path, response.StatusCode)}
	}
	// Fields that this manager does not know are left alone: the programs may be newer.
	if err := json.NewDecoder(bytes.NewReader(answer)).Decode(into); err != nil {
		return &ports.AnswerError{Target: t, Problem: path + " with a body that is not the contract's JSON"}
	}
	return nil
}

// client connects anew each time: a probe over a connection kept from before would not
// tell whether new clients get through.
func (p *Prober) client(t ports.Target) (*http.Client, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(p.dir, "tls.crt"), filepath.Join(p.dir, "tls.key"))
	if err != nil {
		return nil, fmt.Errorf("the manager's certificate: %w", err)
	}
	authority, err := os.ReadFile(filepath.Join(p.dir, "ca.crt"))
	if err != nil {
		return nil, fmt.Errorf("the platform's authority: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return nil, errors.New("the platform's authority: ca.crt holds no certificate")
	}
	return &http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig: &tls.Config{
				MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, RootCAs: roots, ServerName: t.ServerName,
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}
