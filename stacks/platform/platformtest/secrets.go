// SPDX-License-Identifier: Apache-2.0

// Package platformtest makes up, for tests, the secrets that services need.
package platformtest

import (
	"encoding/json"
	"os"
	"testing"

	"sigs.k8s.io/yaml"
)

// MailboxSecrets gives each mailbox of a catalogue's file the password "password-of-" and
// its identifier, as spine:mailboxSecrets.
func MailboxSecrets(t testing.TB, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var catalogue struct {
		Mailboxes []struct{ ID string }
	}
	if err := yaml.Unmarshal(text, &catalogue); err != nil {
		t.Fatal(err)
	}
	passwords := map[string]string{}
	for _, m := range catalogue.Mailboxes {
		passwords[m.ID] = "password-of-" + m.ID
	}
	secrets, err := json.Marshal(map[string]any{"sharedKey": "the-shared-key", "passwords": passwords})
	if err != nil {
		t.Fatal(err)
	}
	return string(secrets)
}
