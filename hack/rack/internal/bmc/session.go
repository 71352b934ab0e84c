// SPDX-License-Identifier: Apache-2.0

package bmc

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"spine.nhs.uk/controlplane/hack/rack/internal/pki"
)

const (
	// sessionTimeout is how long an unused session lives.
	sessionTimeout = 30 * time.Minute
	// maxSessions bounds the open sessions; the longest unused makes room for the next.
	maxSessions = 32
)

type session struct {
	id, token, user string
	used            time.Time
}

// sessions holds the open sessions of one service.
type sessions struct {
	now  func() time.Time
	mu   sync.Mutex
	last int
	open []session
}

func newSessions(now func() time.Time) *sessions { return &sessions{now: now} }

func (s *sessions) create(user string) session {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	if len(s.open) >= maxSessions {
		oldest := slices.IndexFunc(s.open, func(o session) bool {
			return !slices.ContainsFunc(s.open, func(p session) bool { return p.used.Before(o.used) })
		})
		s.open = slices.Delete(s.open, oldest, oldest+1)
	}
	s.last++
	n := session{id: strconv.Itoa(s.last), token: pki.Token(), user: user, used: s.now()}
	s.open = append(s.open, n)
	return n
}

// touch reports whether the token is that of an open session, and keeps it open.
func (s *sessions) touch(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	for i := range s.open {
		if s.open[i].token == token {
			s.open[i].used = s.now()
			return true
		}
	}
	return false
}

func (s *sessions) close(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.open)
	s.open = slices.DeleteFunc(s.open, func(o session) bool { return o.id == id })
	return len(s.open) < before
}

func (s *sessions) list() []session {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	return slices.Clone(s.open)
}

// expire drops sessions that were not used for long; the caller holds the lock.
func (s *sessions) expire() {
	limit := s.now().Add(-sessionTimeout)
	s.open = slices.DeleteFunc(s.open, func(o session) bool { return o.used.Before(limit) })
}

func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	var body struct{ UserName, Password *string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		fail(w, http.StatusBadRequest, malformedJSON(err))
		return
	}
	for name, value := range map[string]*string{"UserName": body.UserName, "Password": body.Password} {
		if value == nil {
			fail(w, http.StatusBadRequest, loginMissing(name))
			return
		}
	}
	if !s.account.matches(*body.UserName, *body.Password) {
		s.log.Warn("login refused", "user", *body.UserName, "from", r.RemoteAddr)
		fail(w, http.StatusUnauthorized, noValidSession())
		return
	}
	n := s.sessions.create(*body.UserName)
	w.Header().Set("X-Auth-Token", n.token)
	w.Header().Set("Location", sessionPath(n.id))
	respond(w, http.StatusCreated, sessionResource(n))
}

func (s *Server) logout(w http.ResponseWriter, id string) {
	if !s.sessions.close(id) {
		fail(w, http.StatusNotFound, resourceMissing(sessionPath(id)))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func sessionPath(id string) string { return root + "/SessionService/Sessions/" + id }

func sessionResource(n session) resource {
	return resource{
		"@odata.id":   sessionPath(n.id),
		"@odata.type": "#Session.v1_7_2.Session",
		"Id":          n.id,
		"Name":        "Session " + n.id,
		"UserName":    n.user,
	}
}
