// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const least = "tokens: {jwksFile: /etc/keys, issuer: https://login, audience: ers}\n"

func TestLeastConfig(t *testing.T) {
	c, err := ParseServiceConfig([]byte(least))
	if err != nil {
		t.Fatal(err)
	}
	if c.Providers.AnswerSeconds != 120 || c.Capacity.APIRequestsPerSecond != 10 || c.Poll.Start != "18:00" || c.TimeZone != "Europe/London" || c.Intake != IntakeOpen {
		t.Errorf("defaults: %+v", c)
	}
}

func TestProblems(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		says []string
	}{
		"empty":         {"", []string{"tokens.jwksFile", "tokens.issuer", "tokens.audience"}},
		"not YAML":      {"a: [", []string{"not valid YAML"}},
		"a list":        {"- a", []string{"wrong type"}},
		"unknown keys":  {least + "colour: red\npoll: {begin: x}\n", []string{`unknown field "colour"`, `unknown field "poll.begin"`}},
		"repeated key":  {least + "title: a\ntitle: b\n", []string{"title", "already set"}},
		"wrong type":    {least + "title: {}\n", []string{"wrong type"}},
		"two documents": {least + "---\ntitle: b\n", []string{"more than one document"}},
		"another case":  {strings.Replace(least, "issuer", "Issuer", 1), []string{`unknown field "tokens.Issuer"`, "tokens.issuer"}},
		"everything wrong": {"title: " + strings.Repeat("x", 81) + "\ntimeZone: Mars/North\ncapacity: {apiRequestsPerSecond: 1001, databaseConnections: 1}\nproviders: {answerSeconds: 121}\npoll: {mode: Sometimes, start: '25:00', daysAhead: 366}\noutbox: {from: ers, to: '', workflow: a-b}\nsessions: {idleMinutes: 60, maxMinutes: 30}\ntokens: {jwksFile: keys, issuer: i, audience: a}\nproviderCAFile: ca\nintake: Ajar\n", []string{
			"title", "timeZone", "capacity.apiRequestsPerSecond", "must be 1 to 1000", "capacity.databaseConnections",
			"providers.answerSeconds", "poll.mode", "poll.start", "poll.daysAhead", "outbox.from", "outbox.workflow",
			"sessions.maxMinutes", "must be 60 to 720", "tokens.jwksFile", "providerCAFile", "intake",
		}},
		"too long": {least + "# " + strings.Repeat("x", maxConfigBytes), []string{"at most 65536"}},
	} {
		_, err := ParseServiceConfig([]byte(c.text))
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		for _, s := range c.says {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%s: %q says nothing of %q", name, err, s)
			}
		}
	}
}

// FuzzParseServiceConfig: whatever is accepted is complete, and means the same when it is
// written and read again.
func FuzzParseServiceConfig(f *testing.F) {
	f.Add([]byte(least))
	f.Add([]byte(least + "poll: {mode: Off, start: '00:00'}\nintake: Closed\n"))
	f.Add([]byte("{}\n---\n"))
	f.Add([]byte("tokens: &a {jwksFile: /k, issuer: i, audience: a}\nx: *a"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := ParseServiceConfig(raw)
		if err != nil {
			return
		}
		if errs := c.Validate(); len(errs) > 0 {
			t.Fatalf("accepted what is invalid: %v", errs)
		}
		again, err := yaml.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		c2, err := ParseServiceConfig(again)
		if err != nil {
			t.Fatalf("%s\nis refused: %v", again, err)
		}
		if *c != *c2 {
			t.Fatalf("got %+v, want %+v", c2, c)
		}
	})
}
