// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"strings"
	"testing"
	"time"
)

const someConfig = `
approval: {actions: [RebuildBroker, FenceHost]}
maxApprovalAge: 8h
coolDown: 5m
changeWindow:
- {days: [Tuesday, Thursday], from: "22:00", to: "04:00"}
- {days: [Sunday], from: "06:00", to: "09:00", timeZone: UTC}
`

func TestParseOperationsConfig(t *testing.T) {
	c, err := ParseOperationsConfig([]byte(someConfig))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Approval.Actions) != 2 || c.MaxApprovalAge.Duration != 8*time.Hour || c.CoolDown.Duration != 5*time.Minute || c.ChangeWindow[0].TimeZone != "Europe/London" {
		t.Errorf("got %+v", c)
	}
	c, err = ParseOperationsConfig([]byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Approval.Actions) != 7 || c.MaxApprovalAge.Duration != 24*time.Hour || c.CoolDown.Duration != 2*time.Minute {
		t.Errorf("defaults are %+v", c)
	}
	if c, err = ParseOperationsConfig([]byte("approval: {actions: []}")); err != nil || len(c.Approval.Actions) != 0 {
		t.Errorf("an empty list asks for no approval: %+v, %v", c, err)
	}
}

func TestParseOperationsConfigRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing":         {"", "the file is empty"},
		"no YAML":         {"a: [", "not valid YAML"},
		"a key twice":     {"coolDown: 1m\ncoolDown: 2m", "not valid YAML"},
		"an unknown key":  {"cooldown: 1m", `unknown field "cooldown"`},
		"a wrong type":    {"coolDown: {}", "a value of the wrong type"},
		"unknown action":  {"approval: {actions: [Reboot]}", `approval.actions[0]: Unsupported value: "Reboot"`},
		"action twice":    {"approval: {actions: [ScaleOut, ScaleOut]}", "approval.actions[1]: Duplicate value"},
		"too old":         {"maxApprovalAge: 25h", "maxApprovalAge: Invalid value"},
		"too long a rest": {"coolDown: 2h", "coolDown: Invalid value"},
		"no day":          {"changeWindow: [{from: '22:00', to: '23:00'}]", "changeWindow[0].days: Required value"},
		"no time":         {"changeWindow: [{days: [Monday], from: 22h, to: '23:00'}]", "changeWindow[0].from: Invalid value"},
		"no zone":         {"changeWindow: [{days: [Monday], from: '22:00', to: '23:00', timeZone: GMT+1}]", "changeWindow[0].timeZone: Invalid value"},
		"all at once":     {"coolDown: 2h\nmaxApprovalAge: 1s\nx: 1", "coolDown: Invalid value"},
		"too much":        {strings.Repeat("#", maxConfigBytes+1), "65537 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseOperationsConfig([]byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestWindowOpen(t *testing.T) {
	c, err := ParseOperationsConfig([]byte(someConfig))
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range map[string]struct {
		now  string
		open bool
		next string
	}{
		"before the first":            {"2026-11-24T21:59:00Z", false, "2026-11-24T22:00:00Z"}, // a Tuesday
		"within":                      {"2026-11-24T22:00:00Z", true, ""},
		"after midnight":              {"2026-11-25T03:59:00Z", true, ""},
		"after it":                    {"2026-11-25T04:00:00Z", false, "2026-11-26T22:00:00Z"},
		"the other window":            {"2026-11-22T06:30:00Z", true, ""},
		"in summer time":              {"2026-07-07T21:00:00Z", true, ""},
		"in summer time, an hour off": {"2026-07-07T20:59:00Z", false, "2026-07-07T21:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339, w.now)
			if err != nil {
				t.Fatal(err)
			}
			open, next := c.WindowOpen(now)
			got := ""
			if !next.IsZero() {
				got = next.UTC().Format(time.RFC3339)
			}
			if open != w.open || got != w.next {
				t.Errorf("got %v, %s", open, got)
			}
		})
	}
	if open, _ := (&OperationsConfig{}).WindowOpen(time.Now()); !open {
		t.Error("without a window it is always open")
	}
}

func FuzzParseOperationsConfig(f *testing.F) {
	f.Add([]byte(someConfig))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := ParseOperationsConfig(text)
		if err != nil {
			return
		}
		if problems := c.Validate(); len(problems) > 0 {
			t.Errorf("%q was accepted: %v", text, problems)
		}
		c.WindowOpen(time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC))
	})
}
