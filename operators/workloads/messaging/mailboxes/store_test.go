// SPDX-License-Identifier: Apache-2.0

package mailboxes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestStoreFollowsTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mailboxes.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(path); err == nil {
		t.Fatal("opened a file that is not there")
	}
	write("mailboxes: []")
	if _, err := Open(path); err == nil {
		t.Fatal("opened a file without a shared key")
	}
	write(good)
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if changed, err := s.Reload(); changed || err != nil {
		t.Errorf("the same file again: %v, %v", changed, err)
	}
	write(strings.Replace(good, "id: ERS", "id: ERS2", 1))
	if changed, err := s.Reload(); !changed || err != nil {
		t.Errorf("a new file: %v, %v", changed, err)
	}
	if _, found := s.Party("ERS2"); !found {
		t.Error("the new mailbox is not there")
	}
	if _, found := s.Party("ERS"); found {
		t.Error("the old mailbox is still there")
	}
	write("broken")
	if changed, err := s.Reload(); changed || err == nil {
		t.Errorf("a broken file: %v, %v", changed, err)
	}
	if _, err := s.Reload(); err != nil {
		t.Errorf("a broken file was reported twice: %v", err)
	}
	if got := s.Named([]string{"ers.spine-booking.svc"}); len(got) != 1 || got[0].Mailbox != "ERS2" {
		t.Errorf("after a broken file the one before is not in force: %v", got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reload(); err == nil {
		t.Error("a file that went away was not reported")
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	d := parse(t, good)
	m := d.Lookup("ERS")
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "password", m.Password, "mailbox", m)
	asJSON, _ := json.Marshal(m)
	for _, text := range []string{
		fmt.Sprintf("%v %+v %#v %s %q %x %d", m, *m, *m, m.Password, m.Password, m.Password, m.Password),
		fmt.Sprint(d.SharedKey), log.String(), string(asJSON),
	} {
		for _, secret := range []string{"1234567890123", "correct-horse", fmt.Sprintf("%x", "1234567890123")} {
			if strings.Contains(text, secret) {
				t.Errorf("a secret shows: %s", text)
			}
		}
	}
}
