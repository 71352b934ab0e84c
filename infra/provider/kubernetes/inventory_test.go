// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"reflect"
	"strings"
	"testing"
)

func TestInventoryWithout(t *testing.T) {
	old := inventory{
		"apps/v1beta1/Deployment/n/x": {"apps/v1beta1", "Deployment", "n", "x"},
		"v1/Namespace/n":              {"v1", "Namespace", "", "n"},
	}
	wanted := inventory{"apps/v1/Deployment/n/x": {"apps/v1", "Deployment", "n", "x"}}
	got := old.without(wanted)
	if want := (inventory{"v1/Namespace/n": {"v1", "Namespace", "", "n"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v: an object in another API version is the same object", got, want)
	}
}

func TestParseInventoryRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "expected a JSON list",
		`{"a": 1}`:                     "expected a JSON list",
		`[{"kind":"Pod","name":"x"}]`:  "entry 0: expected apiVersion, kind and name",
		`[{"apiVersion":"v1"}, "pod"]`: "expected a JSON list",
	} {
		if _, err := parseInventory(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

func FuzzParseInventory(f *testing.F) {
	f.Add(`[{"apiVersion":"v1","kind":"ConfigMap","namespace":"n","name":"x"}]`)
	f.Add(`[]`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, text string) {
		inv, err := parseInventory(text)
		if err != nil {
			return
		}
		again, err := inv.text()
		if err != nil {
			t.Fatal(err)
		}
		back, err := parseInventory(again)
		if err != nil || !reflect.DeepEqual(inv, back) {
			t.Errorf("%q reads as %v, written and read again as %v (%v)", text, inv, back, err)
		}
	})
}
