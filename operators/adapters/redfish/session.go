// SPDX-License-Identifier: Apache-2.0

package redfish

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"spine.nhs.uk/controlplane/operators/ports"
)

const (
	root     = "/redfish/v1"
	systems  = root + "/Systems"
	sessions = root + "/SessionService/Sessions"

	maxAnswer = 1 << 20 // bytes
	farewell  = 3 * time.Second
	dialLimit = 3 * time.Second
)

// session is one conversation with one controller.
type session struct {
	controller Controller
	client     *http.Client
	// token and location of a login; empty with Basic.
	token, location string
}

// system is what is used of a ComputerSystem.
type system struct {
	PowerState string
	UUID       string
	HostName   string
	Actions    struct {
		Reset struct {
			Target  string   `json:"target"`
			Allowed []string `json:"ResetType@Redfish.AllowableValues"`
		} `json:"#ComputerSystem.Reset"`
	}
}

func open(ctx context.Context, authority string, c Controller) (*session, error) {
	config, err := trust(authority, c)
	if err != nil {
		return nil, &ports.UnmanagedError{Host: c.Name, Err: err}
	}
	s := &session{controller: c, client: &http.Client{
		Transport: &http.Transport{
			DialContext:     (&net.Dialer{Timeout: dialLimit}).DialContext,
			TLSClientConfig: config, TLSHandshakeTimeout: dialLimit,
			ForceAttemptHTTP2: false, MaxIdleConns: 1,
		},
		// A password goes nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if c.Authentication != authSession {
		return s, nil
	}
	answer, err := s.do(ctx, http.MethodPost, sessions, map[string]string{"UserName": c.User, "Password": c.Password}, nil)
	if err != nil {
		s.client.CloseIdleConnections()
		return nil, err
	}
	s.token, s.location = answer.Get("X-Auth-Token"), answer.Get("Location")
	if s.token == "" {
		s.client.CloseIdleConnections()
		return nil, s.problem("answered a login without a token")
	}
	return s, nil
}

// trust believes the certificate that is pinned, or those of the authority for this address.
func trust(authority string, c Controller) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CertificateSHA256 == "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(authority)) {
			return nil, errors.New("authority holds no certificate")
		}
		return config, nil
	}
	want, err := fingerprint(c.CertificateSHA256)
	if err != nil {
		return nil, err
	}
	config.InsecureSkipVerify = true // the fingerprint decides, in every handshake
	config.VerifyConnection = func(state tls.ConnectionState) error {
		got := sha256.Sum256(state.PeerCertificates[0].Raw)
		if subtle.ConstantTimeCompare(got[:], want) != 1 {
			return &pinError{got}
		}
		return nil
	}
	return config, nil
}

// pinError: the controller has another certificate than the one that is pinned.
type pinError struct{ got [sha256.Size]byte }

func (e *pinError) Error() string {
	return fmt.Sprintf("its SHA-256 fingerprint is %x, not the one that is pinned: check the controller, then the inventory", e.got)
}

// close logs out; a login that is not ended runs out by itself.
func (s *session) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	if path, err := s.link(s.location); err == nil && s.token != "" {
		_, _ = s.do(ctx, http.MethodDelete, path, nil, nil)
	}
	s.client.CloseIdleConnections()
}

// system reads the one machine that the controller manages.
func (s *session) system(ctx context.Context) (*system, error) {
	var collection struct {
		Members []struct {
			ID string `json:"@odata.id"`
		}
	}
	if _, err := s.do(ctx, http.MethodGet, systems, nil, &collection); err != nil {
		return nil, err
	}
	if n := len(collection.Members); n != 1 {
		return nil, s.problem("manages %d machines: expected exactly one", n)
	}
	path, err := s.link(collection.Members[0].ID)
	if err != nil {
		return nil, err
	}
	one := &system{}
	if _, err := s.do(ctx, http.MethodGet, path, nil, one); err != nil {
		return nil, err
	}
	return one, nil
}

func (s *session) reset(ctx context.Context, one *system, kind string) error {
	if allowed := one.Actions.Reset.Allowed; len(allowed) > 0 && !slices.Contains(allowed, kind) {
		return s.problem("cannot do a reset of type %s, only %s", kind, strings.Join(allowed, ", "))
	}
	path, err := s.link(one.Actions.Reset.Target)
	if err != nil {
		return err
	}
	_, err = s.do(ctx, http.MethodPost, path, map[string]string{"ResetType": kind}, nil)
	return err
}

// link accepts a path on the same controller, and nothing that leads elsewhere.
func (s *session) link(path string) (string, error) {
	path = strings.TrimPrefix(path, "https://"+s.controller.Address)
	if !strings.HasPrefix(path, root+"/") || strings.ContainsAny(path, "?#@\\ ") {
		return "", s.problem("gave a link that is not below %s", root)
	}
	return path, nil
}

// do makes one request and returns the answer's header.
func (s *session) do(ctx context.Context, method, path string, body, into any) (http.Header, error) {
	var reader io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, s.problem("%s %s: %v", method, path, err)
		}
		reader = bytes.NewReader(raw)
	}
	request, err := http.NewRequestWithContext(ctx, method, "https://"+s.controller.Address+path, reader)
	if err != nil {
		return nil, s.problem("%s %s: %v", method, path, err)
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("OData-Version", "4.0")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	switch {
	case s.token != "":
		request.Header.Set("X-Auth-Token", s.token)
	case s.controller.Authentication != authSession:
		request.SetBasicAuth(s.controller.User, s.controller.Password)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return nil, s.failed(err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, s.failed(err)
	}
	switch {
	case response.StatusCode == http.StatusUnauthorized, response.StatusCode == http.StatusForbidden:
		return nil, s.problem("refuses the account %q (status %d): correct its password or rights", s.controller.User, response.StatusCode)
	case response.StatusCode/100 != 2:
		return nil, s.problem("answered %s %s with status %d%s", method, path, response.StatusCode, messageID(raw))
	case into != nil && json.Unmarshal(raw, into) != nil:
		return nil, s.problem("answered %s %s with something else than Redfish's JSON", method, path)
	}
	return response.Header, nil
}

// failed tells a controller that cannot be believed from one that does not answer.
func (s *session) failed(err error) error {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var pin *pinError
	if errors.As(err, &pin) || errors.As(err, &unknown) || errors.As(err, &name) || errors.As(err, &invalid) {
		return s.problem("shows a certificate that is not believed: %v", err)
	}
	return &ports.SilentControllerError{Host: s.controller.Name, Err: err}
}

func (s *session) problem(format string, args ...any) error {
	return &ports.ControllerError{Host: s.controller.Name, Problem: fmt.Sprintf(format, args...)}
}

// messageID of a Redfish error, such as "Base.1.18.ActionNotSupported"; no words of the
// controller's own.
func messageID(raw []byte) string {
	var body struct {
		Error struct {
			Info []struct {
				ID string `json:"MessageId"`
			} `json:"@Message.ExtendedInfo"`
		} `json:"error"`
	}
	if json.Unmarshal(raw, &body) != nil || len(body.Error.Info) == 0 {
		return ""
	}
	id := body.Error.Info[0].ID
	odd := strings.IndexFunc(id, func(r rune) bool {
		return r != '.' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	if odd >= 0 || len(id) > 100 {
		return ""
	}
	return " (" + id + ")"
}
