// SPDX-License-Identifier: Apache-2.0

package site

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/environments"
)

var databases = map[string]string{
	"spine-messaging": "messaging.spine.nhs.uk/v1alpha1/MessagingService/spine-messaging/spine",
	"spine-booking":   "booking.ers.nhs.uk/v1alpha1/BookingService/spine-booking/ers",
}

// TestBackups: each service's resource says where its database is archived, at a site alone and at
// one of two, and the key is in the Secrets of their namespaces only, which are secrets of Pulumi's.
func TestBackups(t *testing.T) {
	for name, environment := range map[string]func(t *testing.T) []byte{
		"alone": func(t *testing.T) []byte { rack(t); return local(t, nil) },
		"pair":  func(t *testing.T) []byte { return paired(t, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			e := &engine{}
			if err := run(t, e, environment(t)); err != nil {
				t.Fatal(err)
			}
			for _, r := range e.resources {
				check(t, r)
			}
			objects := e.objects()
			want := resource.NewPropertyMapFromMap(map[string]any{
				"endpoint": "https://10.90.0.1:9000", "bucket": "spine", "secret": map[string]any{"name": "object-store"},
				"networks": []any{"10.90.0.1/32"}, "retentionDays": 7,
			})
			for namespace, service := range databases {
				database := objects[service].ObjectValue()["spec"].ObjectValue()["database"].ObjectValue()
				if got := database["backup"]; !got.IsObject() || !got.ObjectValue().DeepEquals(want) {
					t.Errorf("%s: backup is %v", namespace, got)
				}
				data := objects["v1/Secret/"+namespace+"/object-store"].ObjectValue()["data"].ObjectValue()
				for key, want := range map[resource.PropertyKey]string{"access-key": "Hidden-Access", "secret-key": "Hidden-Word", "ca.crt": "CERTIFICATE"} {
					if got, err := base64.StdEncoding.DecodeString(data[key].StringValue()); err != nil || string(got) != want {
						t.Errorf("%s: %s is %q: %v", namespace, key, got, err)
					}
				}
			}
			if n := shown(e, "Hidden-Word") + shown(e, "Hidden-Access"); n != 0 {
				t.Errorf("the key stands %d times where people read it", n)
			}
		})
	}
}

// shown counts where the word stands, plain or in base64, in what the engine got unmarked.
func shown(e *engine, word string) int {
	n := 0
	encoded := base64.StdEncoding.EncodeToString([]byte(word))
	for _, r := range e.resources {
		walk(r.Name, resource.NewObjectProperty(unmarked(r)), func(_, s string) {
			if strings.Contains(s, word) || strings.Contains(s, encoded) {
				n++
			}
		})
	}
	return n
}

// unmarked are the inputs without what is secret: objects are marked one by one.
func unmarked(r pulumi.MockResourceArgs) resource.PropertyMap {
	out := resource.PropertyMap{}
	for key, v := range r.Inputs {
		if v.IsObject() {
			rest := resource.PropertyMap{}
			for inner, o := range v.ObjectValue() {
				if !o.IsSecret() {
					rest[inner] = o
				}
			}
			v = resource.NewObjectProperty(rest)
		}
		if !v.IsSecret() {
			out[key] = v
		}
	}
	return out
}

func TestNoBackups(t *testing.T) {
	rack(t)
	e := &engine{}
	if err := run(t, e, local(t, func(env map[string]any) { delete(env, "backups") })); err != nil {
		t.Fatal(err)
	}
	objects := e.objects()
	for namespace, service := range databases {
		if _, ok := objects[service].ObjectValue()["spec"].ObjectValue()["database"].ObjectValue()["backup"]; ok {
			t.Errorf("%s is archived", namespace)
		}
		if _, ok := objects["v1/Secret/"+namespace+"/object-store"]; ok {
			t.Errorf("%s has a key of no store", namespace)
		}
	}
}

func TestStoreKeys(t *testing.T) {
	const invalid = "backups.credentialsFile: Invalid value: "
	for name, c := range map[string]struct {
		text string
		want []string // parts of the errors, in this order
	}{
		"a key":         {`{"accessKey": "Hidden-A", "secretKey": "Hidden-S"}` + "\n", nil},
		"not JSON":      {"Hidden-A:Hidden-S", []string{`must hold {"accessKey"`}},
		"nothing":       {"", []string{`must hold {"accessKey"`}},
		"another key":   {`{"accessKey": "Hidden-A", "secretKey": "Hidden-S", "Hidden-T": "x"}`, []string{"and nothing else"}},
		"more after it": {`{"accessKey": "Hidden-A", "secretKey": "Hidden-S"} {"Hidden-B": 1}`, []string{"and nothing else"}},
		"a number":      {`{"accessKey": 1, "secretKey": "Hidden-S"}`, []string{`must hold {"accessKey"`}},
		"half of it":    {`{"accessKey": "Hidden-A"}`, []string{"secretKey in it must be 1 to 256"}},
		"odd letters":   {`{"accessKey": "Hidden A", "secretKey": "Hidden-S\n"}`, []string{"accessKey in it", "secretKey in it"}},
		"too long":      {`{"accessKey": "Hidden-A", "secretKey": "Hidden-` + strings.Repeat("x", mostKey) + `"}`, []string{"secretKey in it"}},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			key, ca := filepath.Join(folder, "key.json"), filepath.Join(folder, "ca.crt")
			for path, text := range map[string]string{key: c.text, ca: "CERTIFICATE"} {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			made, errs := readBackups(&environments.Environment{Backups: &environments.Backups{CredentialsFile: key, CAFile: ca}})
			if len(errs) != len(c.want) {
				t.Fatalf("got %v", errs)
			}
			for i, err := range errs {
				if text := err.Error(); !strings.HasPrefix(text, invalid) || !strings.Contains(text, c.want[i]) || strings.Contains(text, "Hidden") {
					t.Errorf("got %s", text)
				}
			}
			if len(errs) == 0 && (made.AccessKey != "Hidden-A" || made.SecretKey != "Hidden-S" || made.Authorities != "CERTIFICATE") {
				t.Errorf("read %+v", made)
			}
		})
	}
	_, errs := readBackups(&environments.Environment{Backups: &environments.Backups{CredentialsFile: "/gone/key.json", CAFile: "/gone/ca.crt"}})
	text := errs.ToAggregate().Error()
	for _, want := range []string{invalid + `"/gone/key.json": cannot be read`, `backups.caFile: Invalid value: "/gone/ca.crt": cannot be read`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing from %s", want, text)
		}
	}
}
