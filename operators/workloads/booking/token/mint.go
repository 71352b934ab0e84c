// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// Issuer mints tokens for tries and tests with a private key of its own.
type Issuer struct {
	signer jose.Signer
	public jose.JSONWebKey
	trust  Trust
}

// NewKey makes a P-256 private key, as PEM.
func NewKey() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// NewIssuer makes an issuer of the private key (PEM, PKCS #8, P-256). Of trust
// it uses the issuer and the audience.
func NewIssuer(key []byte, trust Trust) (*Issuer, error) {
	block, _ := pem.Decode(key)
	if block == nil {
		return nil, errors.New("signing key: expected PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("signing key: expected a PKCS #8 private key")
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || private.Curve != elliptic.P256() {
		return nil, errors.New("signing key: expected an EC key on P-256")
	}
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(der)
	id := hex.EncodeToString(sum[:8])
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: private, KeyID: id}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	return &Issuer{signer: signer, trust: trust,
		public: jose.JSONWebKey{Key: &private.PublicKey, KeyID: id, Algorithm: string(jose.ES256), Use: "sig"}}, nil
}

// KeySet is the public half, as the service's key file wants it.
func (i *Issuer) KeySet() ([]byte, error) {
	return json.MarshalIndent(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{i.public}}, "", "  ")
}

// Mint makes a token for who with these roles, valid from now for a while.
func (i *Issuer) Mint(who domain.Caller, roles []domain.Role, now time.Time, valid time.Duration) (string, error) {
	return jwt.Signed(i.signer).Claims(Claims{
		Claims: jwt.Claims{Issuer: i.trust.Issuer, Audience: jwt.Audience{i.trust.Audience}, Subject: who.User,
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(valid))},
		Application: who.Application, Organisation: who.Organisation, Roles: roles,
	}).Serialize()
}
