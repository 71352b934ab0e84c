// SPDX-License-Identifier: Apache-2.0

// Package token verifies and mints the bearer tokens of the booking service:
// JSON Web Tokens, signed with RS256 or ES256, checked against a key set in a
// file.
//
// Live e-RS takes OAuth 2.0 access tokens of NHS England's API platform, which
// says who the caller is in headers that it adds itself. Here the token says
// it: client_id (the application), sub (the SDS user id), organisation (ODS
// code) and roles (business functions).
package token

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// Claims are what a token says.
type Claims struct {
	jwt.Claims
	Application  string        `json:"client_id"`
	Organisation string        `json:"organisation"`
	Roles        []domain.Role `json:"roles"`
}

// InvalidError: the token cannot be used. Why never repeats the token.
type InvalidError struct{ Why string }

func (e *InvalidError) Error() string { return e.Why }

// Trust says which tokens are accepted.
type Trust struct {
	KeysFile string // JSON Web Key Set; read again when it changes
	Issuer   string
	Audience string
}

// Verifier verifies tokens. It is safe for concurrent use.
type Verifier struct {
	trust Trust
	now   func() time.Time

	mu      sync.Mutex
	keys    *jose.JSONWebKeySet
	changed time.Time // modification time of the file that keys came from
	looked  time.Time // when the file was last looked at
}

// lookEvery is how often the key file is looked at for a change, at most.
const lookEvery = 5 * time.Second

// maxToken bounds a token, in bytes.
const maxToken = 8192

// leeway is how far clocks may differ.
const leeway = 30 * time.Second

// algorithms that are accepted: asymmetric ones only, so that nobody can sign
// with a public key.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.PS256, jose.RS512}

// NewVerifier reads the keys once, so that a mistake shows at the start.
func NewVerifier(trust Trust, now func() time.Time) (*Verifier, error) {
	v := &Verifier{trust: trust, now: now}
	if err := v.reload(); err != nil {
		return nil, err
	}
	return v, nil
}

// Verify checks a token and returns whose it is, the roles it grants and when
// it ends. The caller's Role is the first of them: fronts that let the user
// choose set it from the list.
func (v *Verifier) Verify(raw string) (domain.Caller, []domain.Role, time.Time, error) {
	refuse := func(why string) (domain.Caller, []domain.Role, time.Time, error) {
		return domain.Caller{}, nil, time.Time{}, &InvalidError{Why: why}
	}
	if raw == "" || len(raw) > maxToken {
		return refuse("expected a bearer token: get one from the authorisation server and send it as Authorization: Bearer")
	}
	parsed, err := jwt.ParseSigned(raw, algorithms)
	if err != nil {
		return refuse("the bearer token is not a signed JSON Web Token: get a new one")
	}
	keys, err := v.current()
	if err != nil {
		return domain.Caller{}, nil, time.Time{}, err
	}
	var claims Claims
	if !verified(parsed, keys, &claims) {
		return refuse("the bearer token is not signed by a trusted key: get a new one")
	}
	err = claims.ValidateWithLeeway(jwt.Expected{Issuer: v.trust.Issuer, AnyAudience: jwt.Audience{v.trust.Audience}, Time: v.now()}, leeway)
	switch {
	case claims.Expiry == nil:
		return refuse("the bearer token has no expiry: get a new one")
	case errors.Is(err, jwt.ErrExpired):
		return refuse("the bearer token has expired: get a new one")
	case errors.Is(err, jwt.ErrNotValidYet), errors.Is(err, jwt.ErrIssuedInTheFuture):
		return refuse("the bearer token is not valid yet: check the clocks")
	case err != nil:
		return refuse("the bearer token is for another service: get one for this issuer and audience")
	case claims.Application == "" || claims.Organisation == "" || len(claims.Roles) == 0:
		return refuse("the bearer token lacks client_id, organisation or roles: get one for a user of this service")
	}
	for _, role := range claims.Roles {
		if !slices.Contains(domain.Roles(), role) {
			return refuse("the bearer token names an unknown role: get one for a user of this service")
		}
	}
	who := domain.Caller{Application: claims.Application, User: claims.Subject, Organisation: claims.Organisation, Role: claims.Roles[0]}
	return who, claims.Roles, claims.Expiry.Time(), nil
}

// verified tries the keys that the token may mean: the one it names, or all
// when it names none.
func verified(parsed *jwt.JSONWebToken, keys *jose.JSONWebKeySet, claims *Claims) bool {
	try := keys.Keys
	if id := parsed.Headers[0].KeyID; id != "" {
		try = keys.Key(id)
	}
	for _, key := range try {
		if parsed.Claims(key.Key, claims) == nil {
			return true
		}
		*claims = Claims{}
	}
	return false
}

// current is the key set, read again when the file changed. A file that became
// unreadable leaves the former keys in force.
func (v *Verifier) current() (*jose.JSONWebKeySet, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if now := v.now(); now.Sub(v.looked) >= lookEvery {
		v.looked = now
		if info, err := os.Stat(v.trust.KeysFile); err == nil && !info.ModTime().Equal(v.changed) {
			_ = v.read()
		}
	}
	return v.keys, nil
}

func (v *Verifier) reload() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.read()
}

func (v *Verifier) read() error {
	info, err := os.Stat(v.trust.KeysFile)
	if err != nil {
		return fmt.Errorf("token keys: %w", err)
	}
	raw, err := os.ReadFile(v.trust.KeysFile)
	if err != nil {
		return fmt.Errorf("token keys: %w", err)
	}
	keys, err := ParseKeys(raw)
	if err != nil {
		return fmt.Errorf("token keys %s: %w", v.trust.KeysFile, err)
	}
	v.keys, v.changed = keys, info.ModTime()
	return nil
}

// ParseKeys reads a JSON Web Key Set of public keys.
func ParseKeys(raw []byte) (*jose.JSONWebKeySet, error) {
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(raw, &keys); err != nil {
		return nil, errors.New("expected a JSON Web Key Set: {\"keys\": [...]}")
	}
	if len(keys.Keys) == 0 {
		return nil, errors.New("expected at least one key")
	}
	for i, key := range keys.Keys {
		if !key.Valid() || !key.IsPublic() {
			return nil, fmt.Errorf("keys[%d]: expected a valid public key (RSA or EC): never put a private or a shared key here", i)
		}
	}
	return &keys, nil
}
