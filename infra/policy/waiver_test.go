// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"strings"
	"testing"
	"time"
)

const urn = "urn:pulumi:local::spine::spine:component:Site$spine:kubernetes:Manifests::local-network"

func TestWaiverCovers(t *testing.T) {
	result := Result{Rule: "pod-resources", URN: urn, Property: `objects["apps/v1/DaemonSet/a/b"].spec.replicas`}
	for name, c := range map[string]struct {
		waiver Waiver
		want   bool
	}{
		"the resource":        {Waiver{Resource: "local-network"}, true},
		"its URN":             {Waiver{Resource: urn}, true},
		"a pattern":           {Waiver{Resource: "local-*"}, true},
		"a pattern's middle":  {Waiver{Resource: "lo*net*"}, true},
		"the object":          {Waiver{Resource: "local-network", Property: `objects["apps/v1/DaemonSet/a/b"]`}, true},
		"the property":        {Waiver{Resource: "local-network", Property: `objects["apps/v1/DaemonSet/a/b"].spec.replicas`}, true},
		"another rule":        {Waiver{Rule: "residency", Resource: "local-network"}, false},
		"another resource":    {Waiver{Resource: "local-net"}, false},
		"another URN":         {Waiver{Resource: urn + "2"}, false},
		"no resource":         {Waiver{}, false},
		"another object":      {Waiver{Resource: "local-network", Property: `objects["apps/v1/DaemonSet/a/c"]`}, false},
		"half a name":         {Waiver{Resource: "local-network", Property: `objects["apps/v1/DaemonSet/a/b"].spec.rep`}, false},
		"more than the found": {Waiver{Resource: "local-network", Property: `objects["apps/v1/DaemonSet/a/b"].spec.replicas.x`}, false},
		"a pattern too long":  {Waiver{Resource: "local-*-network"}, false},
		"overlapping ends":    {Waiver{Resource: "local-network*local-network"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if c.waiver.Rule == "" {
				c.waiver.Rule = "pod-resources"
			}
			if got := c.waiver.Covers(result); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
	if (Waiver{Rule: "pod-resources", Resource: "*"}).Covers(Result{Rule: "pod-resources"}) {
		t.Error("a waiver covers a finding that has no resource")
	}
}

func TestWaiverState(t *testing.T) {
	w := Waiver{From: "2026-11-01", Until: "2026-11-30"}
	for at, want := range map[string]State{
		"2026-10-31T23:59:59Z":      Pending,
		"2026-11-01T00:00:00Z":      Active,
		"2026-11-30T23:59:59Z":      Active,
		"2026-12-01T00:00:00Z":      Expired,
		"2026-12-01T00:30:00+01:00": Active,
	} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.State(now); got != want {
			t.Errorf("at %s it is %s, and should be %s", at, got, want)
		}
	}
	for _, odd := range []Waiver{{}, {From: "2026-11-01"}, {From: "now", Until: "2099-01-01"}, {From: "2020-01-01", Until: "for ever"}} {
		if got := odd.State(time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)); got != Expired {
			t.Errorf("%+v is %s", odd, got)
		}
	}
}

func TestDecodeWaivers(t *testing.T) {
	got, err := DecodeWaivers([]byte(`{"name":"local","waivers":[{"rule":"a","resource":"b","until":"2026-11-30"}]}`))
	if err != nil || len(got) != 1 || got[0].Rule != "a" || got[0].Until != "2026-11-30" {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, none := range []string{"", "{}", `{"waivers":null}`} {
		if got, err := DecodeWaivers([]byte(none)); err != nil || len(got) != 0 {
			t.Errorf("%q: got %+v, %v", none, got, err)
		}
	}
	for _, wrong := range []string{"hunter2", `{"waivers":"hunter2"}`, `{"waivers":[{"rule":["hunter2"]}]}`} {
		if _, err := DecodeWaivers([]byte(wrong)); !errors.Is(err, ErrWaivers) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: got %v", wrong, err)
		}
	}
}

// FuzzWaivers: no configuration ends the analyzer, and no waiver covers what it does
// not name.
func FuzzWaivers(f *testing.F) {
	f.Add([]byte(`{"waivers":[{"rule":"r","resource":"x*","property":"a"}]}`), "x1", "a.b")
	f.Add([]byte(`{"waivers":[{"rule":"r","resource":"**","property":"a["}]}`), "", "")
	f.Fuzz(func(t *testing.T, raw []byte, name, property string) {
		waivers, err := DecodeWaivers(raw)
		if err != nil {
			return
		}
		for _, w := range waivers {
			w.State(time.Time{})
			if !w.Covers(Result{Rule: "r", URN: "urn:pulumi:s::p::t::" + name, Property: property}) {
				continue
			}
			if w.Rule != "r" || w.Resource == "" || !strings.HasPrefix(property, w.Property) {
				t.Errorf("%+v covers %q of %q", w, property, name)
			}
		}
	})
}
