// SPDX-License-Identifier: Apache-2.0

package thirdplace

import (
	"strings"
	"testing"
	"time"

	"spine.nhs.uk/controlplane/operators/ports"
)

var aVote = ports.Vote{Site: "a", Epoch: 7, Alone: true, Until: time.Date(2026, 11, 21, 11, 40, 5, 123e6, time.UTC)}

func TestVote(t *testing.T) {
	const want = "v=1 site=a epoch=7 alone=true until=2026-11-21T11:40:05.123Z"
	if got, err := WriteVote(aVote); err != nil || got != want {
		t.Errorf("%q, %v", got, err)
	}
	// A vote from another place of the world is the same.
	elsewhere := aVote
	elsewhere.Until = aVote.Until.In(time.FixedZone("", 3600))
	if got, err := WriteVote(elsewhere); err != nil || got != want {
		t.Errorf("%q, %v", got, err)
	}
	for name, change := range map[string]func(*ports.Vote){
		"no site":                   func(v *ports.Vote) { v.Site = "" },
		"a site with a blank":       func(v *ports.Vote) { v.Site = "a epoch=9" },
		"no epoch":                  func(v *ports.Vote) { v.Epoch = 0 },
		"finer than a millisecond":  func(v *ports.Vote) { v.Until = v.Until.Add(time.Microsecond) },
		"a year of five digits":     func(v *ports.Vote) { v.Until = v.Until.AddDate(9000, 0, 0) },
		"a site's name in capitals": func(v *ports.Vote) { v.Site = "A" },
	} {
		v := aVote
		change(&v)
		if got, err := WriteVote(v); err == nil {
			t.Errorf("%s: recorded as %q", name, got)
		}
	}
}

func TestNoVote(t *testing.T) {
	good, _ := WriteVote(aVote)
	for _, text := range []string{
		"", "hello", good + " ", " " + good, strings.Replace(good, "v=1", "v=2", 1), strings.Replace(good, "epoch=7", "epoch=+7", 1),
		strings.Replace(good, "epoch=7", "epoch=07", 1), strings.Replace(good, "alone=true", "alone=1", 1), strings.Replace(good, ".123Z", "Z", 1),
	} {
		if v, err := ReadVote(text); err == nil {
			t.Errorf("%q is read as %+v", text, v)
		}
	}
}

func FuzzVote(f *testing.F) {
	good, _ := WriteVote(aVote)
	f.Add(good)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := ReadVote(text)
		if err != nil {
			return
		}
		if back, err := WriteVote(v); err != nil || back != text {
			t.Errorf("%q is written as %q: %v", text, back, err)
		}
	})
}
