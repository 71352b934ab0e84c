// SPDX-License-Identifier: Apache-2.0

package kubeadm

import (
	"strings"
	"testing"
)

func TestCheckVersion(t *testing.T) {
	for version, want := range map[string]string{
		"v1.36.3": "", "v1.36.0": "", "v1.40.12": "",
		"1.36.3":       "malformed",
		"v1.36":        "malformed",
		"v1.36.3-rc.1": "malformed",
		"v01.36.3":     "malformed",
		"v1.36.99999":  "malformed",
		"":             "malformed",
		"v1.35.9":      "not supported",
		"v2.0.0":       "not supported",
	} {
		t.Run(version, func(t *testing.T) { expectError(t, CheckVersion(version), want) })
	}
}

func TestCheckUpgrade(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"v1.36.2", "v1.36.3", ""},
		{"v1.36.3", "v1.36.3", ""},
		{"v1.36.3", "v1.37.0", ""},
		{"v1.36.3", "v1.36.2", "downgrade"},
		{"v1.37.0", "v1.36.9", "downgrade"},
		{"v1.36.3", "v1.38.0", "skips a minor version: go to v1.37.x first"},
		{"v1.36.3", "latest", "malformed"},
		{"", "v1.36.3", "malformed"},
	} {
		t.Run(c.from+" to "+c.to, func(t *testing.T) { expectError(t, CheckUpgrade(c.from, c.to), c.want) })
	}
}

func expectError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("unexpected error: %v", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("error %v, expected one with %q", err, want)
	}
}

// Whatever is accepted prints as it was written.
func FuzzParseVersion(f *testing.F) {
	for _, s := range []string{"v1.36.3", "v1.36", "", "v1.36.3\n", "v9999.0.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := ParseVersion(s); err == nil && v.String() != s {
			t.Errorf("%q was read as %s", s, v)
		}
	})
}
