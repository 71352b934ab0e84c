// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const planted = "PLANTED-secret"

func TestValuesHideSecrets(t *testing.T) {
	jwt := "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJQTEFOVEVEIn0.x" + planted
	hides := map[string]map[string]any{
		"by name":              {"password": planted},
		"by the end of a name": {"masterUserPassword": planted},
		"nested":               {"a": []any{map[string]any{"apiKey": planted}}},
		"a map of passwords":   {"passwords": map[string]any{"b": planted}},
		"a list of tokens":     {"tokens": []any{planted}},
		"a variable":           {"env": []any{map[string]any{"name": "DB_PASSWORD", "value": planted}}},
		"a Secret's data":      {"kind": "Secret", "data": map[string]any{"a": base64.StdEncoding.EncodeToString([]byte(planted))}},
		"a Secret's text":      {"kind": "Secret", "stringData": map[string]any{"a": planted}},
		"a private key":        {"x": "-----BEGIN EC PRIVATE KEY-----\n" + planted},
		"a token by its form":  {"x": jwt},
		"an AWS key":           {"x": "AKIAPLANTEDPLANTED00"},
		"JSON in a text":       {"x": `{"db": {"password": "` + planted + `"}}`},
		"settings in a text":   {"x": "user: a\npassword: " + planted + "\n"},
		"a kubeconfig":         {"kubeconfig": planted},
	}
	for name, properties := range hides {
		t.Run(name, func(t *testing.T) {
			s := NewSecrets(nil)
			out := fmt.Sprint(show(s.Values(properties)))
			if strings.Contains(out, "PLANTED") || strings.Contains(out, base64.StdEncoding.EncodeToString([]byte(planted))) || !strings.Contains(out, "[secret]") {
				t.Errorf("shows %s", out)
			}
		})
	}
}

// What was hidden in one place is not shown in another.
func TestHiddenEverywhere(t *testing.T) {
	s := NewSecrets(nil)
	s.Values(map[string]any{"password": planted})
	if text := s.Known("the login with " + planted + " failed"); strings.Contains(text, planted) {
		t.Error(text)
	}
}

// What everything is called by is no secret though a secret holds it, too: a kubeconfig names its cluster and region.
func TestPublicNamesAreShown(t *testing.T) {
	const config = `{"clusters":[{"name":"ers-live"}],"args":["--region","eu-west-2"],"token":"` + planted + `"}`
	s := NewSecrets([]string{config, "ers-live"})
	s.Public("ers-live", "spine")
	s.Values(map[string]any{"kubeconfig": config, "httpTokens": "required", "policy": `{"Resource":"arn:aws:secretsmanager:eu-west-2:1:secret:ers-live*"}`})
	const text = "ers-live-db in eu-west-2: it is required by arn:aws:secretsmanager:eu-west-2:1:secret:ers-live*"
	if got := s.Known(text); got != text {
		t.Error(got)
	}
	if got := s.Known(planted); got != "[secret]" {
		t.Error(got)
	}
	if got := show(s.Values(map[string]any{"password": "ers-live"})); strings.Contains(got, "ers-live") {
		t.Errorf("the name is a password, and shown as one: %s", got)
	}
}

// What only points at a secret is no secret: a report without it would say nothing.
func TestValuesShowReferences(t *testing.T) {
	properties := map[string]any{"secretName": "spine-db", "passwordFile": "/etc/x", "tokenIssuer": "https://x", "secretKeyRef": map[string]any{"key": "password", "name": "db"},
		"keysFile": "jwks.json", "kind": "ConfigMap", "data": map[string]any{"a": "b"}, "keyName": "main", "accessModes": []any{"ReadWriteOnce"}}
	got, want := show(NewSecrets(nil).Values(properties)), show(properties)
	if got != want {
		t.Errorf("shows %s", got)
	}
}

// Hidden values differ when what they hide differs: a changed password is a change.
func TestHiddenValuesStillDiffer(t *testing.T) {
	s := NewSecrets(nil)
	for _, form := range []func(string) map[string]any{
		func(v string) map[string]any { return map[string]any{"password": v} },
		func(v string) map[string]any { return map[string]any{"x": "password=" + v} },
		func(v string) map[string]any { return map[string]any{"x": `{"password":"` + v + `"}`} },
	} {
		if d := compare(nil, s.Values(form("PLANTED-one")), s.Values(form("PLANTED-two")), noises{}); len(d) != 1 || strings.Contains(values(&d[0]), "PLANTED") {
			t.Errorf("%v", d)
		}
		if d := compare(nil, s.Values(form("PLANTED-one")), s.Values(form("PLANTED-one")), noises{}); len(d) != 0 {
			t.Errorf("%v", d)
		}
	}
}

func TestTextHidesSecrets(t *testing.T) {
	s := NewSecrets([]string{planted, `{"a": {"b": "PLANTED-inner"}}`, "two\nPLANTED-lines"})
	for _, text := range []string{
		"login " + planted + " failed", "PLANTED-inner", base64.StdEncoding.EncodeToString([]byte(planted)), `"two\nPLANTED-lines"`,
		"https://user:PLANTEDxx@host", "Authorization: Bearer PLANTED1234", "password = PLANTED", `"token": "PLANTED"`,
		"-----BEGIN PRIVATE KEY-----\nPLANTED\n-----END PRIVATE KEY----- then", "-----BEGIN RSA PRIVATE KEY-----\nPLANTED",
	} {
		if out := s.Text(text); strings.Contains(out, "PLANTED") || strings.Contains(out, "UExBTlRFR") || !strings.Contains(out, "[secret]") {
			t.Errorf("%q: %q", text, out)
		}
	}
	if out := s.Text("host b (10.0.0.12): the certificate has expired"); strings.Contains(out, "[secret]") {
		t.Errorf("an ordinary sentence became %q", out)
	}
}

func FuzzSecrets(f *testing.F) {
	f.Add(`{"password":"x","a":["b",{"token":"c"}]}`, "password: x")
	f.Fuzz(func(t *testing.T, properties, text string) {
		var values map[string]any
		if json.Unmarshal([]byte(properties), &values) != nil {
			return
		}
		s := NewSecrets([]string{planted})
		out := s.Values(values)
		if again := NewSecrets(nil).Values(values); len(compare(nil, out, again, noises{})) != 0 {
			t.Error("the same values differ")
		}
		if strings.Contains(s.Text(text+planted), planted) {
			t.Errorf("%q", s.Text(text+planted))
		}
		if _, ok := out["password"].(string); ok && out["password"] != "" {
			t.Errorf("%v", out["password"])
		}
	})
}
