// SPDX-License-Identifier: Apache-2.0

package token

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

var (
	now   = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	trust = Trust{Issuer: "https://issuer.test", Audience: "booking"}
	who   = domain.Caller{Application: "gp", User: "021600556514", Organisation: "R69"}
	roles = []domain.Role{domain.ReferringClinician, domain.ReferringAdmin}
)

func issuer(t testing.TB, trust Trust) *Issuer {
	t.Helper()
	key, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	i, err := NewIssuer(key, trust)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func verifier(t testing.TB, i *Issuer, clock *time.Time) (*Verifier, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "jwks.json")
	write(t, file, i)
	v, err := NewVerifier(Trust{KeysFile: file, Issuer: trust.Issuer, Audience: trust.Audience}, func() time.Time { return *clock })
	if err != nil {
		t.Fatal(err)
	}
	return v, file
}

func write(t testing.TB, file string, i *Issuer) {
	t.Helper()
	keys, err := i.KeySet()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, keys, 0o600); err != nil {
		t.Fatal(err)
	}
}

func mint(t testing.TB, i *Issuer, who domain.Caller, roles []domain.Role, at time.Time) string {
	t.Helper()
	raw, err := i.Mint(who, roles, at, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestATokenSaysWhoCalls(t *testing.T) {
	clock, i := now, issuer(t, trust)
	v, _ := verifier(t, i, &clock)
	got, granted, until, err := v.Verify(mint(t, i, who, roles, now))
	want := who
	want.Role = domain.ReferringClinician
	if err != nil || got != want || len(granted) != 2 || !until.Equal(now.Add(time.Hour)) {
		t.Errorf("%+v %v %v %v", got, granted, until, err)
	}
}

func TestTokensThatAreRefused(t *testing.T) {
	clock, i := now, issuer(t, trust)
	v, _ := verifier(t, i, &clock)
	good := mint(t, i, who, roles, now)
	parts := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
	other := parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"x"}`)) + "." + parts[2]
	for name, c := range map[string]struct{ raw, says string }{
		"empty":              {"", "expected a bearer token"},
		"not a token":        {"hello", "not a signed"},
		"no signature":       {none, "not a signed"},
		"changed":            {other, "not signed by a trusted key"},
		"another key":        {mint(t, issuer(t, trust), who, roles, now), "not signed by a trusted key"},
		"expired":            {mint(t, i, who, roles, now.Add(-2*time.Hour)), "expired"},
		"not yet valid":      {mint(t, i, who, roles, now.Add(time.Hour)), "not valid yet"},
		"no organisation":    {mint(t, i, domain.Caller{Application: "gp"}, roles, now), "lacks"},
		"no roles":           {mint(t, i, who, nil, now), "lacks"},
		"role of a patient":  {mint(t, i, who, []domain.Role{domain.PatientRole}, now), "unknown role"},
		"longer than 8 KiB ": {strings.Repeat("a", 9000), "expected a bearer token"},
	} {
		_, _, _, err := v.Verify(c.raw)
		var invalid *InvalidError
		if !errors.As(err, &invalid) || !strings.Contains(invalid.Why, c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	elsewhere := issuer(t, Trust{Issuer: trust.Issuer, Audience: "other"})
	v2, _ := verifier(t, elsewhere, &clock)
	if _, _, _, err := v2.Verify(mint(t, elsewhere, who, roles, now)); err == nil || !strings.Contains(err.Error(), "another service") {
		t.Errorf("another audience: %v", err)
	}
}

func TestKeysAreExchangedWithoutARestart(t *testing.T) {
	clock, before, after := now, issuer(t, trust), issuer(t, trust)
	v, file := verifier(t, before, &clock)
	write(t, file, after)
	if err := os.Chtimes(file, now, now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	clock = now.Add(lookEvery)
	if _, _, _, err := v.Verify(mint(t, after, who, roles, now)); err != nil {
		t.Error(err)
	}
	if _, _, _, err := v.Verify(mint(t, before, who, roles, now)); err == nil {
		t.Error("a withdrawn key is still trusted")
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	clock = now.Add(2 * lookEvery)
	if _, _, _, err := v.Verify(mint(t, after, who, roles, now)); err != nil {
		t.Errorf("a broken file took the keys away: %v", err)
	}
}

func TestKeyFilesThatAreRefused(t *testing.T) {
	for _, raw := range []string{``, `{}`, `{"keys":[]}`, `{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`,
		`{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`} {
		if _, err := ParseKeys([]byte(raw)); err == nil {
			t.Errorf("accepted %s", raw)
		}
	}
}

func FuzzVerify(f *testing.F) {
	clock, i := now, issuer(f, trust)
	v, _ := verifier(f, i, &clock)
	good := mint(f, i, who, roles, now)
	f.Add(good)
	f.Fuzz(func(t *testing.T, raw string) {
		// The last character of a signature has bits that say nothing: what a token says must be as it was signed.
		got, _, _, err := v.Verify(raw)
		got.Role = ""
		if err == nil && got != who {
			t.Fatalf("accepted %q as %+v", raw, got)
		}
	})
}

func FuzzParseKeys(f *testing.F) {
	keys, err := issuer(f, trust).KeySet()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(keys)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if set, err := ParseKeys(raw); err == nil && len(set.Keys) == 0 {
			t.Fatal("no keys")
		}
	})
}
