// SPDX-License-Identifier: Apache-2.0

//go:build offline

package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/stacks/platform/platformtest"
	"spine.nhs.uk/controlplane/stacks/stacktest"
)

// TestOfflinePreview runs the real pulumi, language host and provider over the config of each bare-metal site, with
// nothing behind it. `make test` builds what it needs.
func TestOfflinePreview(t *testing.T) {
	configs, err := filepath.Glob("../environments/Pulumi.*.yaml")
	if err != nil || len(configs) == 0 {
		t.Fatalf("no environments: %v", err)
	}
	for _, config := range configs {
		text, err := os.ReadFile(config)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "spine:kind: "+string(environments.KindBaremetalSite)+"\n") {
			continue
		}
		stack := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(config), "Pulumi."), ".yaml")
		t.Run(stack, func(t *testing.T) {
			if !strings.Contains(string(text), "spine:mailboxSecrets:") {
				// A live site's are its team's to set, and nobody else's: secrets that nobody uses.
				mailboxes, err := platformtest.Secrets("../environments/catalogue/spine.yaml")
				if err != nil {
					t.Fatal(err)
				}
				text = fmt.Appendf(text, "\n  spine:mailboxSecrets: '%s'\n", mailboxes)
				config = filepath.Join(t.TempDir(), "config.yaml")
				if err := os.WriteFile(config, text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			preview := runner(t, stack)
			out, err := preview(config)
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, want := range []string{"spine:baremetal:Host", "spine:baremetal:Cluster", "spine:kubernetes:Manifests", "spine:component:Platform", "to create", "✅ spine@v1.0.0"} {
				if !strings.Contains(out, want) {
					t.Errorf("the preview does not speak of %q:\n%s", want, out)
				}
			}

			wrong := filepath.Join(t.TempDir(), "wrong.yaml")
			broken := strings.Replace(string(text), "    owner:", "    onwer: x\n    owner:", 1)
			if err := os.WriteFile(wrong, []byte(broken), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := preview(wrong); err == nil || !strings.Contains(out, "onwer") {
				t.Errorf("an unknown key passed, or was not named: %v\n%s", err, out)
			}
		})
	}
}

// newPulumi is pulumi with a backend of the test's own.
func newPulumi(t testing.TB) *stacktest.Pulumi {
	t.Helper()
	p, err := stacktest.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// rules is the policy pack.
func rules(t testing.TB) string {
	t.Helper()
	pack, err := stacktest.Rules("..")
	if err != nil {
		t.Fatal(err)
	}
	return pack
}

// runner makes a stack in a backend of the test's own and returns what previews it with a config file.
func runner(t *testing.T, stack string) func(config string) (string, error) {
	t.Helper()
	home := t.TempDir()
	inventRack(t, home, "../environments/Pulumi."+stack+".yaml")
	p := newPulumi(t)
	p.Env = append(p.Env, "SPINE_OFFLINE=1", "SPINE_HOME="+home, stacktest.Attached(rules(t)))
	if err := p.Init(t.Context(), t.TempDir(), stack); err != nil {
		t.Fatal(err)
	}
	return func(config string) (string, error) {
		path, err := filepath.Abs(config)
		if err != nil {
			t.Fatal(err)
		}
		s := &stacktest.Stack{Pulumi: p, Name: stack, Root: "..", Config: path}
		return stacktest.Said(s.Command(t.Context(), "preview"))
	}
}

// inventRack writes the files that the config points at, as a rack that is up leaves them: its hosts' keys, its CA, the
// keys of tokens, and what two sites believe each other by.
func inventRack(t *testing.T, home, config string) {
	t.Helper()
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	var known strings.Builder
	for _, m := range regexp.MustCompile(`(?m)^\s+address: (\S+)$`).FindAllStringSubmatch(string(text), -1) {
		known.WriteString(knownhosts.Line([]string{m[1]}, key) + "\n")
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now, NotAfter: now.Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	privateDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for _, m := range regexp.MustCompile(`~/\.local/share/spine/([^\s,}]+)`).FindAllStringSubmatch(string(text), -1) {
		content, ok := map[string][]byte{
			"known_hosts": []byte(known.String()), "bmc-password": []byte("a-password\n"), "jwks.json": []byte(`{"keys":[]}`),
			"object-store.json": []byte(`{"accessKey":"a-key","secretKey":"a-word"}`),
		}[filepath.Base(m[1])]
		switch {
		case ok:
		case filepath.Ext(m[1]) == ".crt":
			content = certificate
		case filepath.Ext(m[1]) == ".key":
			content = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: privateDER})
		case strings.HasPrefix(filepath.Base(m[1]), "zone-key"):
			content = []byte(base64.StdEncoding.EncodeToString(private[:32]))
		}
		path := filepath.Join(home, m[1])
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
