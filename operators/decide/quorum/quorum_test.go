// SPDX-License-Identifier: Apache-2.0

package quorum

import "testing"

func TestMayDisrupt(t *testing.T) {
	whole := func() []Part {
		return []Part{
			{Name: "database", Known: true, Desired: 3, Ready: 3},
			{Name: "broker", Known: true, Desired: 3, Ready: 3},
			{Name: "gateway", Known: true, Desired: 2, Ready: 2},
		}
	}
	for name, c := range map[string]struct {
		part    string
		change  func([]Part)
		verdict Verdict
		message string
	}{
		"all there":                  {"database", func([]Part) {}, Allow, ""},
		"own member missing":         {"database", func(p []Part) { p[0].Ready = 2 }, Wait, "database has 2 of 3 members"},
		"another part's missing":     {"database", func(p []Part) { p[1].Ready = 2 }, Wait, "broker has 2 of 3 members"},
		"two parts missing":          {"gateway", func(p []Part) { p[0].Ready, p[1].Ready = 1, 2 }, Wait, "database has 1 of 3 members, broker has 2 of 3 members"},
		"being changed":              {"broker", func(p []Part) { p[0].Changing = true }, Wait, "database is being changed by its own operator"},
		"unknown":                    {"broker", func(p []Part) { p[0].Known = false }, Unknown, "the state of database is not known"},
		"unknown hides missing":      {"broker", func(p []Part) { p[0].Known, p[1].Ready = false, 2 }, Unknown, "the state of database is not known"},
		"nothing left to disrupt":    {"gateway", func(p []Part) { p[2].Ready = 0 }, Allow, ""},
		"nothing left, but of other": {"database", func(p []Part) { p[2].Ready = 0 }, Wait, "gateway has 0 of 2 members"},
		"more than desired":          {"database", func(p []Part) { p[0].Ready = 4 }, Allow, ""},
	} {
		t.Run(name, func(t *testing.T) {
			parts := whole()
			c.change(parts)
			if got := MayDisrupt(c.part, parts); got.Verdict != c.verdict || got.Message != c.message {
				t.Errorf("got %v, want %v %q", got, c.verdict, c.message)
			}
		})
	}
}

// Two changes in a row must never both be allowed while the first one's member is away.
func FuzzNeverTwo(f *testing.F) {
	f.Add(int32(3), int32(3), int32(3), int32(3))
	f.Fuzz(func(t *testing.T, d1, r1, d2, r2 int32) {
		if d1 < 2 || d2 < 2 || r1 < 2 || r2 < 1 {
			return
		}
		parts := []Part{{Name: "a", Known: true, Desired: d1, Ready: r1}, {Name: "b", Known: true, Desired: d2, Ready: r2}}
		if MayDisrupt("a", parts).Verdict != Allow {
			return
		}
		if parts[0].Ready = parts[0].Desired - 1; parts[0].Ready > 0 && MayDisrupt("a", parts).Verdict == Allow {
			t.Errorf("a second member of a may go while one is missing: %+v", parts)
		}
		if MayDisrupt("b", parts).Verdict == Allow {
			t.Errorf("a member of b may go while one of a is missing: %+v", parts)
		}
	})
}
