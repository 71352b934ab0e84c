// SPDX-License-Identifier: Apache-2.0

package table

import (
	"bytes"
	"strings"
	"testing"
)

// The table that is built in is what the generator writes: reading and writing it gives the same bytes.
func TestEmbedded(t *testing.T) {
	text, err := Write(Embedded())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, embedded) {
		t.Error("table.json was changed by hand: run `go generate ./hack/awsdouble`")
	}
}

func TestParse(t *testing.T) {
	tests := map[string]string{
		`{"types": {"a": {"inputs": {"x": "text"}}}}`:        `x is of the unknown kind "text"`,
		`{"types": {"a": {"inputs": {"x": "[#none]!"}}}}`:    `x is of the unknown kind "[#none]!"`,
		`{"objects": {"a": {"x": "{[what]}"}}}`:              `x is of the unknown kind "{[what]}"`,
		`{"types": {"a": null}}`:                             "a: is null",
		`{"kinds": {}}`:                                      "kinds",
		`{"provider": {"x": "[int"}}`:                        `unknown kind "[int"`,
		`{"provider": {"x": ""}}`:                            `unknown kind ""`,
		`[`:                                                  "unexpected",
		`{"types": {"a": {"outputs": {"x": "string?"}}}}`:    `unknown kind "string?"`,
		`{"types": {"a": {"inputs": {}, "forces": ["a"]}}} `: "forces",
	}
	for text, want := range tests {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v does not say %s", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"types": {"a": {"inputs": {"x": "[#b]!"}}}, "objects": {"b": {"c": "{string}"}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		parsed, err := Parse(text)
		if err != nil {
			return
		}
		if _, err := Write(parsed); err != nil {
			t.Errorf("was read, and cannot be written: %v", err)
		}
	})
}
