// SPDX-License-Identifier: Apache-2.0

// Package platformtest makes up, for tests, the secrets that services need.
package platformtest

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"sigs.k8s.io/yaml"
)

// MailboxSecrets are those of Secrets, for a test.
func MailboxSecrets(t testing.TB, file string) string {
	t.Helper()
	secrets, err := Secrets(file)
	if err != nil {
		t.Fatal(err)
	}
	return secrets
}

// Secrets gives each mailbox of a catalogue's file the password "password-of-" and its identifier, as
// spine:mailboxSecrets.
func Secrets(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	var catalogue struct {
		Mailboxes []struct{ ID string }
	}
	if err := yaml.Unmarshal(text, &catalogue); err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	passwords := map[string]string{}
	for _, m := range catalogue.Mailboxes {
		passwords[m.ID] = "password-of-" + m.ID
	}
	secrets, err := json.Marshal(map[string]any{"sharedKey": "the-shared-key", "passwords": passwords})
	return string(secrets), err
}
