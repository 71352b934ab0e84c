// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"strings"
	"testing"

	"spine.nhs.uk/controlplane/environments"
)

func TestMailboxSecrets(t *testing.T) {
	list := []environments.Mailbox{{ID: "M1"}, {ID: "M2"}}
	const hidden = "do-not-show-me"
	for name, c := range map[string]struct{ secrets, want string }{
		"none":        {"", "spine:mailboxSecrets: Required value: the sharedKey and passwords"},
		"not JSON":    {hidden, "must be JSON with the keys"},
		"unknown key": {`{"sharedkeys":"` + hidden + `"}`, "must be JSON with the keys"},
		"no password": {`{"sharedKey":"` + hidden + `","passwords":{"M1":"` + hidden + `"}}`, "spine:mailboxSecrets.passwords[M2]: Required value"},
		"short":       {`{"sharedKey":"short","passwords":{"M1":"` + hidden + `","M2":"` + hidden + `"}}`, "spine:mailboxSecrets.sharedKey: Invalid value"},
		"blank":       {`{"sharedKey":"` + hidden + ` ","passwords":{"M1":"` + hidden + `","M2":"` + hidden + `"}}`, "spine:mailboxSecrets.sharedKey: Invalid value"},
		"one too many": {`{"sharedKey":"` + hidden + `","passwords":{"M1":"` + hidden + `","M2":"` + hidden + `","M3":"` + hidden + `"}}`,
			"spine:mailboxSecrets.passwords[M3]: Forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, errs := mailboxes(list, c.secrets)
			text := (&environments.Error{Problems: errs}).Error()
			if len(errs) == 0 || !strings.Contains(text, c.want) {
				t.Errorf("got %s\nwant %s", text, c.want)
			}
			if strings.Contains(text, hidden) {
				t.Errorf("a secret is shown: %s", text)
			}
		})
	}
}
