// SPDX-License-Identifier: Apache-2.0

// Package bmc is the baseboard management controller of a virtual host: a Redfish service
// (DMTF DSP0266, resource model DSP2046) whose reset actions start and stop the machine.
package bmc

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// PowerState is a value of ComputerSystem.PowerState.
type PowerState string

const (
	PowerOn    PowerState = "On"
	PowerOff   PowerState = "Off"
	PoweringOn PowerState = "PoweringOn"
)

// Power is the machine behind the controller.
type Power interface {
	// State reads the power state from the machine itself.
	State() PowerState
	// Reset carries out a reset. It returns nil at once if there is nothing to do.
	Reset(ctx context.Context, kind ResetType) error
}

// Host is what the controller tells about its machine.
type Host struct {
	// Name is the host's name; Rack and Site say where it stands.
	Name, Rack, Site string
	// UUID is the host's machine id in UUID form.
	UUID string
	// MemoryMiB and Processors are what the machine has.
	MemoryMiB, Processors int
}

// Account is the one user of the controller.
type Account struct{ User, Password string }

// Server is the Redfish service of one host.
type Server struct {
	host     Host
	power    Power
	account  Account
	sessions *sessions
	log      *slog.Logger
}

// New makes the service. now is the clock that sessions age by.
func New(host Host, power Power, account Account, now func() time.Time, log *slog.Logger) *Server {
	return &Server{host: host, power: power, account: account, sessions: newSessions(now), log: log.With("host", host.Name)}
}

// maxBody bounds request bodies, in bytes; a reset request has some 30.
const maxBody = 64 << 10

const root = "/redfish/v1"

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("OData-Version", "4.0")
	h.Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	path := r.URL.Path
	if path != "/" {
		path = strings.TrimSuffix(path, "/")
	}
	if !open(r.Method, path) && !s.authenticated(w, r) {
		return
	}
	switch {
	case path == root+"/SessionService/Sessions" && r.Method == http.MethodPost:
		s.login(w, r)
	case strings.HasPrefix(path, root+"/SessionService/Sessions/") && r.Method == http.MethodDelete:
		s.logout(w, strings.TrimPrefix(path, root+"/SessionService/Sessions/"))
	case path == resetTarget:
		s.reset(w, r)
	default:
		s.read(w, r, path)
	}
}

// open lists what the Redfish specification lets anyone read: the version, the root, the OData
// documents, and the way to log in.
func open(method, path string) bool {
	switch path {
	case "/redfish", root, root + "/odata":
		return true
	case root + "/SessionService/Sessions":
		return method == http.MethodPost
	}
	return false
}

// read answers GET and HEAD from the resource tree.
func (s *Server) read(w http.ResponseWriter, r *http.Request, path string) {
	res, ok := s.resource(path)
	if !ok {
		fail(w, http.StatusNotFound, resourceMissing(path))
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		fail(w, http.StatusMethodNotAllowed, operationNotAllowed(r.Method))
		return
	}
	respond(w, http.StatusOK, res)
}

// authenticated lets a request pass with a session's token or with the account's password, and
// answers it with 401 otherwise.
func (s *Server) authenticated(w http.ResponseWriter, r *http.Request) bool {
	if token := r.Header.Get("X-Auth-Token"); token != "" {
		if s.sessions.touch(token) {
			return true
		}
		// No challenge here: the client logs in again, and must not fall back to Basic.
		fail(w, http.StatusUnauthorized, noValidSession())
		return false
	}
	if user, password, ok := r.BasicAuth(); ok && s.account.matches(user, password) {
		return true
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="BMC of `+s.host.Name+`", charset="UTF-8"`)
	fail(w, http.StatusUnauthorized, noValidSession())
	return false
}

// matches compares in a time that does not depend on how much is right.
func (a Account) matches(user, password string) bool {
	equal := func(x, y string) int {
		hx, hy := sha256.Sum256([]byte(x)), sha256.Sum256([]byte(y))
		return subtle.ConstantTimeCompare(hx[:], hy[:])
	}
	return equal(a.User, user)&equal(a.Password, password) == 1
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	// A client that went away is no error of ours.
	_ = enc.Encode(body)
}
