// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNumbers(t *testing.T) {
	for id, want := range map[string]uint16{"LOAD001": 1, "LOAD999": 999, "LOAD1000": 1000} {
		if n, ok := Number(id); !ok || n != want || MailboxID(n) != id {
			t.Errorf("%s: %d, %t", id, n, ok)
		}
	}
	for _, id := range []string{"", "LOAD", "LOAD000", "LOAD1", "LOAD0001", "load001", "ERS", "LOAD+01", "LOAD70000"} {
		if n, ok := Number(id); ok {
			t.Errorf("%q was taken for %d", id, n)
		}
	}
}

// folder makes a clients' folder with certificates for the first two of three mailboxes.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	private := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	const mailboxes = "sharedKey: shared-secret\nmailboxes:\n- {id: LOAD002, password: second-secret}\n- {id: OTHER, password: x}\n- {id: LOAD001, password: first-secret}\n"
	for name, content := range map[string]string{
		"ca.crt": certificate, "mailboxes.yaml": mailboxes,
		"LOAD001.crt": certificate, "LOAD001.key": private, "LOAD002.crt": certificate, "LOAD002.key": private,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOpen(t *testing.T) {
	f, err := Open(folder(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Mailboxes) != 2 || f.Mailboxes[0].ID != "LOAD001" || f.Mailboxes[1].Password != "second-secret" || f.SharedKey != "shared-secret" {
		t.Errorf("got %d mailboxes", len(f.Mailboxes))
	}
}

// Every mistake is named by its file, and no error quotes a secret.
func TestBadFolders(t *testing.T) {
	for name, c := range map[string]struct {
		file, content string
		want          []string
	}{
		"no certificate in the bundle": {"ca.crt", "nothing", []string{"ca.crt"}},
		"no YAML":                      {"mailboxes.yaml", "mailboxes: [first-secret", []string{"mailboxes.yaml"}},
		"no mailbox of ours":           {"mailboxes.yaml", "mailboxes: [{id: OTHER, password: first-secret}]", []string{"LOAD001"}},
		"two keys broken":              {"mailboxes.yaml", "mailboxes: [{id: LOAD003, password: first-secret}, {id: LOAD004}]", []string{"LOAD003", "LOAD004"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t)
			if err := os.WriteFile(filepath.Join(dir, c.file), []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Open(dir)
			if err == nil || strings.Contains(err.Error(), "secret") {
				t.Fatalf("got %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%s is not named: %v", want, err)
				}
			}
		})
	}
}
