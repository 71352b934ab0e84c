// SPDX-License-Identifier: Apache-2.0

package thirdplace

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type inner struct {
	Zone string `json:"zone"`
}

type example struct {
	inner  `json:",inline"`
	Secret string `json:"secret,omitempty"`
}

func (e example) Validate() error {
	if e.Zone == "" {
		return errors.New("zone: is missing")
	}
	return nil
}

func TestLoad(t *testing.T) {
	const secret = "a-secret"
	for name, c := range map[string]struct{ text, want string }{
		"good":      {"zone: z.\nsecret: " + secret, ""},
		"a typo":    {"zone: z.\nsceret: " + secret, "must be YAML with nothing but zone, secret, each once"},
		"twice":     {"zone: z.\nsecret: " + secret + "\nsecret: b", "each once"},
		"no YAML":   {"{" + secret, "must be YAML"},
		"incorrect": {"secret: " + secret, File + ": zone: is missing"},
		"huge":      {"zone: z." + strings.Repeat("#", MaxConfig), "at most 65536 are expected"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, File), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := Load[example](dir)
			switch {
			case c.want == "" && (err != nil || got.Zone != "z." || got.Secret != secret):
				t.Errorf("%+v, %v", got, err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %s", err, c.want)
			case err != nil && strings.Contains(err.Error(), secret):
				t.Errorf("the secret is in the error: %v", err)
			}
		})
	}
	if _, err := Load[example](t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestEpoch(t *testing.T) {
	for name, c := range map[string]struct {
		values []string
		want   int64
		bad    bool
	}{
		"none": {nil, Before, false}, "one": {[]string{"12"}, 12, false}, "two": {[]string{"1", "2"}, 0, true},
		"no number": {[]string{"x"}, 0, true}, "empty": {[]string{""}, 0, true},
		"negative": {[]string{"-1"}, 0, true}, "otherwise written": {[]string{"07"}, 0, true},
	} {
		if got, err := ReadEpoch("_epoch.a.", c.values); (err != nil) != c.bad || err == nil && got != c.want {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
	if back, err := ReadEpoch("", []string{WriteEpoch(7)}); err != nil || back != 7 {
		t.Errorf("%d, %v", back, err)
	}
	if CheckEpoch(4, 5) == nil || CheckEpoch(5, 5) != nil || CheckEpoch(0, Before) != nil {
		t.Error("an epoch that is over, and only that, is refused")
	}
}

func FuzzEpoch(f *testing.F) {
	f.Add("7")
	f.Fuzz(func(t *testing.T, text string) {
		if epoch, err := ReadEpoch("", []string{text}); err == nil && (epoch < 0 || WriteEpoch(epoch) != text) {
			t.Errorf("%q is read as %d", text, epoch)
		}
	})
}
