// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
	"spine.nhs.uk/controlplane/operators/workloads/booking/flow"
)

// cookieName: browsers accept the prefix only with Secure, for this host alone and for all its paths.
const cookieName = "__Host-ers"

// maxCookie bounds what is opened, in bytes; browsers keep at most 4096.
const maxCookie = 4096

// session is what the sealed cookie holds.
type session struct {
	// ID names the session in form tokens; a new one is drawn whenever somebody signs in.
	ID string `json:"i"`
	// Who is signed in; the zero Caller is nobody.
	Who domain.Caller `json:"w"`
	// UBRN is the referral that is open: a patient's own, or the one that staff opened last.
	UBRN domain.UBRN `json:"u,omitempty"`
	// Search is what staff searched for last, and Shortlist the services they chose from it.
	Search    search  `json:"q"`
	Shortlist []int64 `json:"l,omitempty"`
	// Used is the shortlist that the last referral was made from.
	Used *used `json:"d,omitempty"`
	// Code is the access code of a referral just made: shown on the next page and gone.
	Code string `json:"c,omitempty"`
	// Notice is what the next page says first.
	Notice string `json:"n,omitempty"`
	// Seen and End are seconds of Unix time: the last use, and when the session ends whatever happens.
	Seen int64 `json:"s"`
	End  int64 `json:"e"`
}

// used is a shortlist that a form has made a referral from, kept for that form's key: when the answer was lost on its way
// and the form is sent again, it has to say the same.
type used struct {
	Key       string  `json:"k"`
	Shortlist []int64 `json:"l"`
}

// search is what services are searched by.
type search struct {
	Specialty string          `json:"s,omitempty"`
	Priority  domain.Priority `json:"p,omitempty"`
	Postcode  string          `json:"c,omitempty"`
	Named     string          `json:"n,omitempty"`
}

func (s search) query() flow.ServiceQuery {
	return flow.ServiceQuery{Specialty: s.Specialty, Priority: s.Priority, Postcode: s.Postcode, Named: s.Named}
}

func (s *session) signedIn() bool { return s.Who.Role != "" }
func (s *session) staff() bool    { return s.signedIn() && s.Who.Role != domain.PatientRole }

// keysFrom makes the key that seals sessions and the one that makes form tokens.
func keysFrom(key [32]byte) (cipher.AEAD, [32]byte, error) {
	var tokens [32]byte
	derived, err := hkdf.Key(sha256.New, key[:], nil, "booking pages", 64)
	if err != nil {
		return nil, tokens, err
	}
	copy(tokens[:], derived[32:])
	block, err := aes.NewCipher(derived[:32])
	if err != nil {
		return nil, tokens, err
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	return seal, tokens, err
}

// encoding is strict: one session has one spelling.
var encoding = base64.RawURLEncoding.Strict()

// open reads a cookie's value; anything that this key did not seal, or whose time is over, is no session.
func (h *Handler) open(value string, now time.Time, idle time.Duration) (session, bool) {
	if len(value) == 0 || len(value) > maxCookie {
		return session{}, false
	}
	sealed, err := encoding.DecodeString(value)
	if err != nil {
		return session{}, false
	}
	plain, err := h.seal.Open(nil, nil, sealed, []byte(cookieName))
	if err != nil {
		return session{}, false
	}
	var s session
	if err := json.Unmarshal(plain, &s); err != nil {
		return session{}, false
	}
	if now.Unix() >= s.End || now.Unix() >= s.Seen+int64(idle.Seconds()) {
		return session{}, false
	}
	return s, true
}

// cookie seals the session.
func (h *Handler) cookie(s session) (*http.Cookie, error) {
	plain, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return &http.Cookie{
		Name:     cookieName,
		Value:    encoding.EncodeToString(h.seal.Seal(nil, nil, plain, []byte(cookieName))),
		Path:     "/",
		Secure:   true,
		HttpOnly: true,
		SameSite: http.SameSiteStrictMode,
	}, nil
}

// formToken proves that a form came from a page of this session.
func (h *Handler) formToken(s *session) string {
	mac := hmac.New(sha256.New, h.tokenKey[:])
	mac.Write([]byte(s.ID))
	return encoding.EncodeToString(mac.Sum(nil)[:18])
}

// newName is 128 random bits: the name of a session, or the key of a form.
func newName() string { return rand.Text() }
