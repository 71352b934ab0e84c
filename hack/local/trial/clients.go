// SPDX-License-Identifier: Apache-2.0

// Package trial is the first client of a site on the virtual rack: it takes its
// certificates and passwords from the cluster, sends a message and makes a
// booking, through the address that everybody uses.
package trial

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

// Clients is the folder with what clients of a site need:
//
//	ca.crt           the authority of the site's servers
//	<ID>.crt, .key   the client certificate of a mailbox
//	mailboxes.yaml   mailboxes and their passwords, as the gateway reads them
//	token.key        the key that signs tokens of the booking API, and jwks.json, its public half
//	staff.jwt        a token of a referring clinician on each line
type Clients struct{ Dir string }

// Kubectl runs kubectl and returns its standard output.
type Kubectl func(ctx context.Context, args ...string) ([]byte, error)

// requestTimeout is how long the site may take for one request.
const requestTimeout = 30 * time.Second

// Fetch writes what is in the cluster into the folder.
func (c Clients) Fetch(ctx context.Context, kubectl Kubectl) error {
	var authority, mailboxes secret
	if err := get(ctx, kubectl, &authority, "cert-manager", "spine-ca"); err != nil {
		return err
	}
	if err := get(ctx, kubectl, &mailboxes, "spine-messaging", "mailboxes"); err != nil {
		return err
	}
	roots := authority.Data["ca.crt"]
	if len(roots) == 0 {
		// An authority that the environment brought: its certificate, with those above it.
		roots = authority.Data["tls.crt"]
	}
	files := map[string][]byte{"ca.crt": roots, "mailboxes.yaml": mailboxes.Data["mailboxes.yaml"]}
	all, err := c.parse(files["mailboxes.yaml"])
	if err != nil {
		return err
	}
	var certificates struct {
		Items []secret `json:"items"`
	}
	if err := get(ctx, kubectl, &certificates, "spine-clients", ""); err != nil {
		return err
	}
	byName := map[string]secret{}
	for _, s := range certificates.Items {
		byName[s.Metadata.Name] = s
	}
	for _, m := range all.Mailboxes {
		// Mailboxes whose owners bring a certificate of their own have none here.
		if s, ok := byName[strings.ReplaceAll(strings.ToLower(m.ID), "_", "-")]; ok {
			files[m.ID+".crt"], files[m.ID+".key"] = s.Data["tls.crt"], s.Data["tls.key"]
		}
	}
	for name, content := range files {
		if len(content) == 0 {
			return fmt.Errorf("the cluster has no content for %s yet", name)
		}
		if err := c.write(name, content); err != nil {
			return err
		}
	}
	return nil
}

// secret is a Kubernetes Secret, as far as it matters here.
type secret struct {
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Data map[string][]byte `json:"data"`
}

func get(ctx context.Context, kubectl Kubectl, into any, namespace, name string) error {
	args := []string{"get", "secret", "--namespace", namespace, "-o", "json"}
	if name != "" {
		args = append(args, name)
	}
	out, err := kubectl(ctx, args...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("secrets of %s: kubectl's answer is not the JSON expected", namespace)
	}
	return nil
}

// accounts is mailboxes.yaml, as far as clients need it.
type accounts struct {
	SharedKey string `json:"sharedKey"`
	Mailboxes []struct {
		ID       string `json:"id"`
		Password string `json:"password"`
	} `json:"mailboxes"`
}

func (c Clients) parse(text []byte) (accounts, error) {
	var a accounts
	// The decoder's own words may quote a password.
	if yaml.Unmarshal(text, &a) != nil {
		return a, fmt.Errorf("mailboxes.yaml is not as the message gateway reads it")
	}
	return a, nil
}

// client speaks to the site, with the certificate of a mailbox; "" for none.
func (c Clients) client(mailbox string) (*http.Client, error) {
	pem, err := os.ReadFile(c.path("ca.crt"))
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", c.path("ca.crt"))
	}
	if mailbox != "" {
		pair, err := tls.LoadX509KeyPair(c.path(mailbox+".crt"), c.path(mailbox+".key"))
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}, Timeout: requestTimeout}, nil
}

func (c Clients) path(name string) string { return filepath.Join(c.Dir, name) }

// write replaces a file in one step. All of them are for their owner only.
func (c Clients) write(name string, content []byte) error {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return err
	}
	fresh := c.path(name) + ".new"
	if err := os.WriteFile(fresh, content, 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, c.path(name))
}
